import Foundation
import Testing
import Vocabulary

@testable import Login

@Suite("CallbackListener: waits for one answer and survives everything else")
struct CallbackListenerTests {
    static let any = RedirectURI(host: .localhost, port: 0, path: "/login-callback")

    /// What the listener heard in the end.
    enum Heard: Equatable, Sendable {
        case answer(CallbackQuery, strays: [StrayRequest])
        case failure(String, [StrayRequest])

        var code: Text? {
            if case .answer(let query, _) = self, case .code(let code) = query.answer { code } else { nil }
        }
    }

    /// Runs `talk` against a listener that waits for the state "s" for `seconds`, and shows the page "done" in the end. Both on threads of
    /// their own: other tests may hold all of Swift's. Answers with what `talk` saw.
    func hear(
        within seconds: Int64 = 120, start: StartAddress? = nil, state: Text = "s", _ talk: @escaping @Sendable (UInt16) -> [String]
    ) async throws -> (heard: Heard, pages: [String]) {
        let listener = try CallbackListener(firstFreeOf: [CallbackListenerTests.any])
        let port = listener.redirectURI.port
        nonisolated(unsafe) let waiting = listener
        let heard = Shared<Heard>(.failure("did not end", []))
        let thread = ThreadHandle {
            do throws(LoginError) {
                let answer = try waiting.answer(withState: state, start: start, before: .now() + seconds)
                let query = answer.query
                answer.show(.done(who: "alice@example.com", until: nil))
                heard.value = .answer(query, strays: waiting.strays)
            } catch {
                guard case .noAnswer(let strays) = error else {
                    heard.value = .failure("\(error)", [])
                    return
                }
                heard.value = .failure("no answer", strays)
            }
        }
        return await onThread {
            let pages = talk(port)
            thread.join()
            return (heard.value, pages)
        }
    }

    static let good = "/login-callback?code=c&state=s"

    static func get(_ target: String, _ port: UInt16) -> String { "GET \(target) HTTP/1.1\r\nHost: localhost:\(port)\r\n\r\n" }

    static func ask(_ port: UInt16, _ request: String, ipv6: Bool = false) -> String {
        guard let wire = Wire(port: port, ipv6: ipv6) else { return "no connection" }
        wire.say(request)
        let page = wire.hear()
        // As a browser does it, which is sent on to the page that says how the login ended.
        guard page.hasPrefix("HTTP/1.1 303 "), let path = Robot.header("Location", in: page) else { return page }
        return ask(port, get(path, port), ipv6: ipv6)
    }

    /// What comes at once, without following it anywhere.
    static func askOnly(_ port: UInt16, _ request: String) -> String {
        guard let wire = Wire(port: port) else { return "no connection" }
        wire.say(request)
        return wire.hear()
    }

    /// The status codes of pages, in order.
    static func statuses(_ pages: [String]) -> [String] { pages.map { $0.split(separator: " ").dropFirst().first.map(String.init) ?? "" } }

    @Test("the answer is taken on either address, and the page is shown on that connection", arguments: [false, true])
    func answer(ipv6: Bool) async throws {
        let (heard, pages) = try await hear { port in
            [CallbackListenerTests.ask(port, CallbackListenerTests.get(CallbackListenerTests.good, port), ipv6: ipv6)]
        }
        #expect(heard.code == "c")
        #expect(pages[0].hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(pages[0].contains("alice@example.com"))
    }

    @Test("C19: the answer leads on at once to an address of ours that holds neither code nor state, is good once and cannot be guessed")
    func lastPage() async throws {
        let (heard, pages) = try await hear { port in
            let first = CallbackListenerTests.askOnly(port, CallbackListenerTests.get(CallbackListenerTests.good, port))
            let path = Robot.header("Location", in: first) ?? ""
            return [first]
                + [
                    CallbackListenerTests.get("/done/", port), CallbackListenerTests.get(path + "x", port),
                    CallbackListenerTests.get("/login-callback?code=c&state=x", port),
                    "GET \(path) HTTP/1.1\r\nHost: evil.example\r\n\r\n",
                    CallbackListenerTests.get(CallbackListenerTests.good, port), CallbackListenerTests.get(path, port),
                ].map { CallbackListenerTests.askOnly(port, $0) }
        }
        #expect(heard.code == "c")
        #expect(CallbackListenerTests.statuses(pages) == ["303", "404", "404", "403", "421", "303", "200"])
        let location = try #require(Robot.header("Location", in: pages[0]))
        #expect(location.hasPrefix("/done/") && location.utf8.count == "/done/".utf8.count + 43)
        #expect(!pages[0].contains("code=") && !pages[0].contains("state="))
        #expect(pages.filter { $0.contains("alice@example.com") } == [pages[6]])
    }

    @Test("a browser that does not come for the last page holds the login up for a second, not longer")
    func nobodyComes() async throws {
        let began = ContinuousClock.now
        let (heard, pages) = try await hear { port in
            [CallbackListenerTests.askOnly(port, CallbackListenerTests.get(CallbackListenerTests.good, port))]
        }
        #expect(heard.code == "c")
        #expect(CallbackListenerTests.statuses(pages) == ["303"])
        #expect(ContinuousClock.now - began >= .seconds(1))
        #expect(ContinuousClock.now - began < .seconds(20))
    }

    @Test("C17: empty and slow connections, favicons and noise neither count nor block; the login still succeeds")
    func strays() async throws {
        let (heard, pages) = try await hear { port in
            let empty = (0..<5).compactMap { _ in Wire(port: port) }
            let slow = Wire(port: port)
            slow?.say("GET /login-callback?code=x&sta")
            let pages = [
                CallbackListenerTests.get("/favicon.ico", port), "\u{16}\u{3}\u{1}\n\n",
                CallbackListenerTests.get(CallbackListenerTests.good, port),
            ]
            .map { request in
                _ = Wire(port: port)
                return CallbackListenerTests.ask(port, request)
            }
            return withExtendedLifetime((empty, slow)) { pages }
        }
        #expect(heard.code == "c")
        #expect(CallbackListenerTests.statuses(pages) == ["404", "400", "200"])
    }

    @Test("C17: more connections than are kept do not keep the answer out")
    func flood() async throws {
        let (heard, pages) = try await hear { port in
            let many = (0..<100).compactMap { _ in Wire(port: port) }
            let page = CallbackListenerTests.ask(port, CallbackListenerTests.get(CallbackListenerTests.good, port))
            return withExtendedLifetime(many) { [page] }
        }
        #expect(heard.code == "c")
        #expect(CallbackListenerTests.statuses(pages) == ["200"])
    }

    @Test("C15: an answer with another state does not count, is told so, and does not end the login")
    func otherState() async throws {
        let queries = [
            "code=evil&state=x", "code=evil&state=ss", "code=evil&state=", "code=evil&state=S", "code=evil&state=s%00",
            "error=access_denied&state=x", "code=c&state=s",
        ]
        let (heard, pages) = try await hear { port in
            queries.map { CallbackListenerTests.ask(port, CallbackListenerTests.get("/login-callback?" + $0, port)) }
        }
        #expect(heard.code == "c")
        #expect(CallbackListenerTests.statuses(pages) == ["403", "403", "403", "403", "403", "403", "200"])
        #expect(pages.allSatisfy { !$0.contains("evil") })
    }

    @Test("C15: another state of the same length does not count, wherever it differs")
    func otherStateOfTheSameLength() async throws {
        let state = String(repeating: "a", count: 43)
        let others = [0, 21, 42].map { place in
            String(state.prefix(place)) + "b" + String(state.dropFirst(place + 1))
        }
        let (heard, pages) = try await hear(state: Text(state)) { port in
            (others + [state]).map {
                CallbackListenerTests.ask(port, CallbackListenerTests.get("/login-callback?code=c&state=" + $0, port))
            }
        }
        #expect(heard.code == "c")
        #expect(CallbackListenerTests.statuses(pages) == ["403", "403", "403", "200"])
    }

    @Test("texts are equal in constant time only if every byte is")
    func constantTime() {
        #expect(equalInConstantTime("", "") && equalInConstantTime("abc", "abc"))
        for other: Text in ["", "ab", "abcd", "bbc", "abd", "ABC"] { #expect(!equalInConstantTime("abc", other)) }
    }

    static let destination = "https://idp.example.com/authorize?client_id=x&state=s"

    @Test("the start address leads to the provider, and the answer is awaited as before; nothing beside it leads anywhere")
    func start() async throws {
        let start = StartAddress(to: CallbackListenerTests.destination)
        let (heard, pages) = try await hear(start: start) { port in
            let path = start.path.string
            let wrong = [path + "x", String(path.dropLast()), path + "?", "/start/", path.replacing("/start/", with: "/Start/")]
            return
                (wrong.map { CallbackListenerTests.get($0, port) } + [
                    "POST \(path) HTTP/1.1\r\nHost: localhost:\(port)\r\n\r\n", "GET \(path) HTTP/1.1\r\nHost: evil.example\r\n\r\n",
                    CallbackListenerTests.get(path, port), CallbackListenerTests.get(CallbackListenerTests.good, port),
                ]).map { CallbackListenerTests.ask(port, $0) }
        }
        #expect(heard.code == "c")
        #expect(CallbackListenerTests.statuses(pages) == ["404", "404", "404", "404", "404", "405", "421", "302", "200"])
        #expect(pages[7].contains("\r\nLocation: \(CallbackListenerTests.destination)\r\n"))
        #expect(pages.filter { $0.contains("Location:") || $0.contains("idp.example.com") }.count == 1)
    }

    @Test(
        "the start address leads another user of the machine nowhere, and is still good for the browser",
        .enabled(if: getuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv"), "needs root and setpriv"))
    func startByAnotherUser() async throws {
        let start = StartAddress(to: CallbackListenerTests.destination)
        let (heard, pages) = try await hear(start: start) { port in
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
            process.arguments = [
                "--reuid", "65534", "--clear-groups", "curl", "-s", "-i", "http://localhost:\(port)\(start.path)",
            ]
            let output = Pipe()
            process.standardOutput = output
            guard (try? process.run()) != nil else { return [] }
            let page = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return [page]
                + [start.path.string, CallbackListenerTests.good].map {
                    CallbackListenerTests.ask(port, CallbackListenerTests.get($0, port))
                }
        }
        #expect(heard.code == "c")
        #expect(CallbackListenerTests.statuses(pages) == ["403", "302", "200"])
    }

    @Test("a start address that is used twice ends the login: somebody else has read it")
    func startTwice() async throws {
        let start = StartAddress(to: CallbackListenerTests.destination)
        let (heard, pages) = try await hear(start: start) { port in
            (0..<2).map { _ in CallbackListenerTests.ask(port, CallbackListenerTests.get(start.path.string, port)) }
        }
        #expect(heard == .failure("\(LoginError.startAddressUsedTwice)", []))
        #expect(CallbackListenerTests.statuses(pages) == ["302", "410"])
        #expect(!pages[1].contains("idp.example.com"))
    }

    @Test("C16: POST, HEAD, another host and a query of 64 KiB are answered and do not count")
    func wrongRequests() async throws {
        let (heard, pages) = try await hear { port in
            let query = CallbackListenerTests.good.replacing("code=c", with: "code=evil")
            return [
                "POST \(query) HTTP/1.1\r\nHost: localhost:\(port)\r\nContent-Length: 14\r\n\r\ncode=c&state=s",
                "HEAD \(query) HTTP/1.1\r\nHost: localhost:\(port)\r\n\r\n",
                "GET \(query) HTTP/1.1\r\nHost: evil.example\r\n\r\n",
                CallbackListenerTests.get(query + String(repeating: "c", count: 64 << 10), port),
                CallbackListenerTests.get(CallbackListenerTests.good, port),
            ].map { CallbackListenerTests.ask(port, $0) }
        }
        guard case .answer(_, let strays) = heard else {
            Issue.record("\(heard)")
            return
        }
        #expect(heard.code == "c")
        #expect(strays == [.otherMethod, .otherHost, .tooLarge])
        #expect(pages[0].contains("Allow: GET\r\n"))
        #expect(pages[1].hasSuffix("\r\n\r\n"))
        let statuses = CallbackListenerTests.statuses(pages)
        #expect([statuses[0], statuses[1], statuses[2], statuses[4]] == ["405", "405", "421", "200"])
        // Some of it may be unread when the page is sent; then the connection is reset and there is no page.
        #expect(["", "431"].contains(statuses[3]))
    }

    @Test("when the time is over the wait ends, and what came instead is known")
    func timeIsOver() async throws {
        let (heard, _) = try await hear(within: 1) { _ in [] }
        #expect(heard == .failure("no answer", []))
        #expect(LoginError.noAnswer([.otherPath]).hint?.contains("open the printed address") == true)
        #expect(LoginError.noAnswer([.otherMethod]).hint?.contains("form_post") == true)
        #expect(LoginError.noAnswer([.withoutQuery]).hint?.contains("fragment") == true)
    }

    @Test("C18: only the literal loopback addresses are bound")
    func loopbackOnly() throws {
        let listener = try CallbackListener(firstFreeOf: [CallbackListenerTests.any])
        let port = listener.redirectURI.port
        let bound = try boundAddresses(port: port)
        #expect(bound.contains("0100007F"))
        #expect(Set(bound).isSubset(of: ["0100007F", "00000000000000000000000001000000"]))
        withExtendedLifetime(listener) {}
    }

    @Test(
        "C18: a port that somebody has on one address only is passed over; none free is an error", arguments: [Socket.Family.ipv4, .ipv6])
    func taken(family: Socket.Family) throws {
        let other = try Socket(listeningOn: family, port: 0)
        let first = RedirectURI(host: .localhost, port: other.port, path: "/login-callback")
        let listener = try CallbackListener(firstFreeOf: [first, CallbackListenerTests.any])
        #expect(listener.redirectURI.port != other.port)
        #expect(throws: LoginError.self) { _ = try CallbackListener(firstFreeOf: [first, listener.redirectURI]) }
        withExtendedLifetime(other) {}
    }

    @Test("a port that nobody may have is not said to be taken")
    func privileged() {
        #expect(Socket.bindFailure(EACCES) == .other(errno: EACCES))
        #expect(Socket.bindFailure(EADDRINUSE) == .taken)
        #expect(LoginError.listening(CallbackListenerTests.any, errno: EACCES).hint?.contains("1024") == true)
    }

    /// Local addresses of listening sockets on this port, as /proc writes them.
    private func boundAddresses(port: UInt16) throws -> [String] {
        let wanted = ":" + String(UInt32(port) + 0x10000, radix: 16, uppercase: true).dropFirst()
        return try ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { path in
            try textOfFile(path).split(separator: "\n").compactMap { line -> String? in
                let fields = line.split(separator: " ")
                guard fields.count > 3, fields[3] == "0A", fields[1].hasSuffix(wanted) else { return nil }
                return String(fields[1].dropLast(5))
            }
        }
    }
}
