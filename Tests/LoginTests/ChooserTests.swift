import Foundation
import Testing
import Vocabulary

@testable import Login

@Suite("ProviderChooser: the person chooses, and nobody else")
struct ChooserTests {
    static func provider(_ issuer: Text, _ aliases: String...) -> ProviderConfig {
        var provider = ProviderConfig(issuer: issuer, clientID: Text("client-of-\(issuer)"))
        provider.aliases = aliases
        return provider
    }

    static let providers = [
        provider("https://idp.example.com", "work"), provider("https://login.example.org:8443/realm", "home", "second"),
        provider("https://accounts.example.net"),
    ]
    static let destination = "https://idp.example.com/authorize?client_id=x&state=s"

    /// How the wait ended, and what `talk` saw.
    enum Ended: Equatable, Sendable {
        case chosen(Int)
        case failure(String)
    }

    /// Runs `talk` against a listener; `afterwards` gets the browser that was waiting.
    func listen(
        within seconds: Int64 = 60, _ providers: [ProviderConfig] = ChooserTests.providers,
        afterwards: @escaping @Sendable (WaitingBrowser) -> Void = { _ = $0.lead(to: ChooserTests.destination) },
        _ talk: @escaping @Sendable (_ port: UInt16, _ start: String, _ page: String) -> [String]
    ) async throws -> (ended: Ended, pages: [String]) {
        let listener = try ChooserListener(for: providers)
        let addresses = [listener.startURL, listener.pageURL].compactMap { URLComponents(string: $0) }
        let port = UInt16(try #require(addresses.first?.port))
        let paths = addresses.map(\.path)
        nonisolated(unsafe) let waiting = listener
        let ended = Shared<Ended>(.failure("did not end"))
        let thread = ThreadHandle {
            do throws(LoginError) {
                let (index, browser) = try waiting.choice(before: .now() + seconds)
                ended.value = .chosen(index)
                afterwards(browser)
            } catch {
                ended.value = .failure("\(error)")
            }
        }
        return await onThread {
            let pages = talk(port, paths[0], paths[1])
            thread.join()
            return (ended.value, pages)
        }
    }

    static func get(_ target: String, _ port: UInt16, _ fields: String = "") -> String {
        CallbackListenerTests.askOnly(port, "GET \(target) HTTP/1.1\r\nHost: localhost:\(port)\r\n\(fields)\r\n")
    }

    @Test("the start address leads to the page, the page can be shown again, and a link of it leads on")
    func good() async throws {
        let (ended, pages) = try await listen { port, start, page in
            let first = ChooserTests.get(start, port)
            let shown = [page, page].map { ChooserTests.get($0, port) }
            return [first] + shown + [ChooserTests.get(page + "/1", port, "Sec-Fetch-Site: same-origin\r\n")]
        }
        #expect(ended == .chosen(1))
        #expect(CallbackListenerTests.statuses(pages) == ["302", "200", "200", "302"])
        #expect(Robot.header("Location", in: pages[0])?.contains("/choose/") == true)
        #expect(pages[1] == pages[2])
        for text in ["<strong>work</strong>", "idp.example.com", "<strong>home</strong>", "login.example.org:8443", "accounts.example.net"]
        {
            #expect(pages[1].contains(text))
        }
        #expect(Robot.header("Location", in: pages[3]) == ChooserTests.destination)
    }

    @Test("C19: aliases and issuers of a hostile configuration are shown as text, and the page forbids scripts and anything from outside")
    func hostile() async throws {
        let bad = "<script>alert(1)</script>\"'&\u{202E}"
        let providers = [
            ChooserTests.provider(Text("https://a.example/" + bad), bad), ChooserTests.provider(Text(bad)),
            ChooserTests.provider("https://accounts.google.com@evil.example/"),
        ]
        let (_, pages) = try await listen(providers) { port, _, page in
            [ChooserTests.get(page, port), ChooserTests.get(page + "/0", port)]
        }
        #expect(!pages[0].contains("<script") && !pages[0].contains("\u{202E}"))
        #expect(pages[0].contains("&lt;script&gt;"))
        // Not a URL that could be used: shown whole, so that nothing is hidden of it.
        #expect(pages[0].contains("https://accounts.google.com@evil.example/"))
        for field in [
            "Content-Security-Policy: default-src 'none'; style-src 'sha256-", "frame-ancestors 'none'", "Cache-Control: no-store",
        ] {
            #expect(pages[0].contains(field))
        }
    }

    @Test("pages of other sites, browsers that look ahead, other hosts and guesses choose nothing")
    func forged() async throws {
        let (ended, pages) = try await listen { port, start, page in
            [
                ChooserTests.get(page + "/0", port, "Sec-Fetch-Site: cross-site\r\n"),
                ChooserTests.get(page + "/0", port, "Sec-Fetch-Site: same-site\r\n"),
                ChooserTests.get(page + "/0", port, "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: same-origin\r\n"),
                ChooserTests.get(page + "/0", port, "Sec-Purpose: prefetch\r\n"),
                ChooserTests.get(page + "/0", port, "Purpose: prefetch\r\n"),
                CallbackListenerTests.askOnly(port, "GET \(page)/0 HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
                CallbackListenerTests.askOnly(port, "POST \(page)/0 HTTP/1.1\r\nHost: localhost:\(port)\r\n\r\n"),
                ChooserTests.get("/choose/" + String(repeating: "A", count: 43) + "/0", port),
                ChooserTests.get(start + "/0", port), ChooserTests.get("/0", port), ChooserTests.get(page + "/3", port),
                ChooserTests.get(page + "/00", port), ChooserTests.get(page + "/-1", port), ChooserTests.get(page + "/", port),
                ChooserTests.get(page + "/9999999999999999999999", port), ChooserTests.get(page + "/2", port),
            ]
        }
        #expect(ended == .chosen(2))
        #expect(
            CallbackListenerTests.statuses(pages) == [
                "403", "403", "403", "403", "403", "421", "405", "404", "404", "404", "404", "404", "404", "404", "404", "302",
            ])
        #expect(pages.dropLast().allSatisfy { !$0.contains("Location:") && !$0.contains("idp.example.com") })
    }

    @Test(
        "another user of the machine sees and chooses nothing, even who knows the addresses",
        .enabled(if: getuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv"), "needs root and setpriv"))
    func otherUser() async throws {
        let (ended, pages) = try await listen { port, start, page in
            let foreign = [start, page, page + "/0"].map { path in
                let process = Process()
                process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
                process.arguments = ["--reuid", "65534", "--clear-groups", "curl", "-s", "-i", "http://localhost:\(port)\(path)"]
                let output = Pipe()
                process.standardOutput = output
                guard (try? process.run()) != nil else { return "" }
                let page = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                process.waitUntilExit()
                return page
            }
            return foreign + [start, page, page + "/1"].map { ChooserTests.get($0, port) }
        }
        #expect(ended == .chosen(1))
        #expect(CallbackListenerTests.statuses(pages) == ["403", "403", "403", "302", "200", "302"])
        #expect(pages.prefix(3).allSatisfy { !$0.contains("idp.example.com") && !$0.contains("Location:") })
    }

    @Test("a start address that is used twice ends the login: somebody else has read it")
    func startTwice() async throws {
        let (ended, pages) = try await listen { port, start, _ in (0..<2).map { _ in ChooserTests.get(start, port) } }
        #expect(ended == .failure("\(LoginError.startAddressUsedTwice)"))
        #expect(CallbackListenerTests.statuses(pages) == ["302", "410"])
    }

    @Test("while the page is waited for the time that is left is told, less each second")
    func timeLeft() async throws {
        let listener = try ChooserListener(for: ChooserTests.providers)
        nonisolated(unsafe) let waiting = listener
        let told = await onThread { () -> [Int64] in
            let deadline = UnixTime.now() + 3
            var told: [Int64] = []
            do throws(LoginError) { _ = try waiting.choice(before: deadline) { told.append(deadline - $0) } } catch {}
            return told
        }
        #expect(Set(told).isSuperset(of: [2, 1]) && told == told.sorted(by: >), "\(told)")
    }

    @Test("who does not choose in time is told how to do without")
    func timeIsOver() async throws {
        let (ended, _) = try await listen(within: 1) { _, _, _ in [] }
        #expect(ended == .failure("\(LoginError.noChoice(aliases: []))"))
        #expect(LoginError.noChoice(aliases: ["work", "home"]).hint?.contains("work, home") == true)
    }

    @Test("a browser that waits and is sent nowhere is told that the login did not succeed; so is one with a bad address")
    func abandoned() async throws {
        for afterwards: @Sendable (WaitingBrowser) -> Void in [{ _ in }, { #expect(!$0.lead(to: "javascript:alert(1)")) }] {
            let (_, pages) = try await listen(afterwards: afterwards) { port, _, page in [ChooserTests.get(page + "/0", port)] }
            #expect(CallbackListenerTests.statuses(pages) == ["502"])
            #expect(pages[0].contains("did not succeed") && !pages[0].contains("Location:"))
        }
    }

    @Test("what is shown beside the name is the host, or the whole issuer where a host is there twice")
    func places() {
        let issuers: [Text] = [
            "https://a.example/x", "https://B.example", "https://c.example/1", "https://c.example/2", "http://localhost:80",
        ]
        #expect(
            ChooserPage.places(of: issuers.map { ChooserTests.provider($0) }) == [
                "a.example", "b.example", "https://c.example/1", "https://c.example/2", "localhost",
            ])
    }

    @Test("the only provider is no choice, none is an error, and without browser and terminal the error names the aliases")
    func withoutBrowser() throws {
        let chooser = { ProviderChooser(among: $0, browser: nil, terminal: ChooserTerminal(reading: -1)) { _ in } }
        #expect(try chooser([ChooserTests.providers[1]]).choose(patience: 1).provider == ChooserTests.providers[1])
        for (providers, aliases) in [([], []), (ChooserTests.providers, ["work", "home", "second"])] {
            do throws(LoginError) {
                _ = try chooser(providers).choose(patience: 1)
                Issue.record("no error")
            } catch {
                guard case .noProvider(aliases) = error else {
                    Issue.record("\(error)")
                    continue
                }
            }
        }
    }

    @Test(
        "in a terminal a number or a name chooses", arguments: [("2\n", 1), (" work \n", 0), ("second\n", 1), ("3\r\n", 2)])
    func terminal(typed: String, index: Int) throws {
        let terminal = try PseudoTerminal()
        terminal.type(typed)
        var lines: [String] = []
        let chooser = ProviderChooser(
            among: ChooserTests.providers, browser: Browser(environment: .empty), terminal: ChooserTerminal(reading: terminal.inside)
        ) {
            if case .line(let line) = $0 { lines.append(line) }
        }
        #expect(try chooser.choose(patience: 10).provider == ChooserTests.providers[index])
        #expect(lines.contains { $0.hasPrefix(" 1  work ") && $0.hasSuffix("idp.example.com") })
        #expect(lines.count == 5)
    }

    @Test(
        "in a terminal anything else is asked again, and the fifth is an error that says what there is, as is a closed terminal at once",
        arguments: ["0\n", "4\n", "wörk\n", "\u{1B}[2J\n", "\n", "\u{4}"])
    func terminalWrong(typed: String) throws {
        let terminal = try PseudoTerminal()
        let isClosed = typed == "\u{4}"
        terminal.type(isClosed ? typed : String(repeating: typed, count: ChooserTerminal.mostAnswers))
        var again = 0
        do throws(LoginError) {
            _ = try ChooserTerminal(reading: terminal.inside).choice(among: ChooserTests.providers, before: .now() + 60) {
                if $0.contains("none of them") { again += 1 }
            }
            Issue.record("no error")
        } catch {
            #expect(again == (isClosed ? 0 : 4))
            #expect(error.isUsage)
            #expect(error.hint?.contains("work, home, second") == true)
            #expect(!"\(error)".contains("\u{1B}"))
        }
    }

    @Test("in a terminal a wrong answer is no end: the next one counts, and what was typed ahead is not lost")
    func terminalAgain() throws {
        let terminal = try PseudoTerminal()
        terminal.type("4\nhttps://idp.example.com,x,s3cret\nhome\n")
        var lines: [String] = []
        let chosen = try ChooserTerminal(reading: terminal.inside).choice(among: ChooserTests.providers, before: .now() + 60) {
            lines.append($0)
        }
        #expect(chosen == 1)
        #expect(lines.count == 7 && lines.last == "That is none of them. Type a number from 1 to 3, or a name, then Enter:")
        #expect(!lines.contains { $0.contains("s3cret") })
    }
}

/// The two ends of a terminal.
final class PseudoTerminal {
    /// What a program has as its standard input.
    let inside: Int32
    private let outside: Int32

    init() throws {
        var ends: (outside: Int32, inside: Int32) = (-1, -1)
        guard openpty(&ends.outside, &ends.inside, nil, nil, nil) == 0 else { throw POSIXError(.ENODEV) }
        (outside, inside) = ends
    }

    deinit {
        close(inside)
        close(outside)
    }

    /// What a program has written to it so far.
    func seen() -> String {
        var polled = pollfd(fd: outside, events: Int16(POLLIN), revents: 0)
        var bytes: [UInt8] = []
        while poll(&polled, 1, 50) > 0 {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = read(outside, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(outside, bytes, bytes.count)
    }
}
