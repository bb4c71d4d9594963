import Testing
import Vocabulary

@testable import Login

@Suite("CallbackListener: waits for one answer and survives everything else")
struct CallbackListenerTests {
    static let any = RedirectURI(host: .localhost, port: 0, path: "/login-callback")

    /// What the listener heard in the end.
    enum Heard: Equatable, Sendable {
        case answer(CallbackQuery)
        case failure(String, [StrayRequest])
    }

    /// Runs `talk` against a listener that waits for the state "s" for `seconds`, and shows the page "done" in the end.
    func hear(within seconds: Int64 = 20, _ talk: @escaping @Sendable (UInt16) -> Void) async throws -> Heard {
        let listener = try CallbackListener(firstFreeOf: [CallbackListenerTests.any])
        let port = listener.redirectURI.port
        nonisolated(unsafe) let waiting = listener
        async let heard = onThread { () -> Heard in
            do throws(LoginError) {
                let answer = try waiting.answer(withState: "s", before: .now() + seconds)
                let query = answer.query
                answer.show(.done(who: "alice@example.com", until: nil))
                return .answer(query)
            } catch {
                guard case .noAnswer(let strays) = error else { return .failure("\(error)", []) }
                return .failure("no answer", strays)
            }
        }
        await onThread { talk(port) }
        return await heard
    }

    static func get(_ target: String, _ port: UInt16) -> String { "GET \(target) HTTP/1.1\r\nHost: localhost:\(port)\r\n\r\n" }

    static func ask(_ port: UInt16, _ request: String, ipv6: Bool = false) -> String {
        guard let wire = Wire(port: port, ipv6: ipv6) else { return "no connection" }
        wire.say(request)
        return wire.hear()
    }

    @Test("the answer is taken on either address, and the page is shown on that connection", arguments: [false, true])
    func answer(ipv6: Bool) async throws {
        let heard = try await hear { port in
            let page = CallbackListenerTests.ask(port, CallbackListenerTests.get("/login-callback?code=c&state=s", port), ipv6: ipv6)
            #expect(page.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(page.contains("alice@example.com"))
        }
        guard case .answer(let query) = heard else { Issue.record("\(heard)"); return }
        #expect(query.answer == .code("c"))
    }

    @Test("C17: empty and slow connections, favicons and noise neither count nor block; the login still succeeds")
    func strays() async throws {
        let heard = try await hear { port in
            let empty = (0..<5).compactMap { _ in Wire(port: port) }
            #expect(empty.count == 5)
            let slow = Wire(port: port)
            slow?.say("GET /login-callback?code=x&sta")
            #expect(CallbackListenerTests.ask(port, CallbackListenerTests.get("/favicon.ico", port)).hasPrefix("HTTP/1.1 404"))
            #expect(CallbackListenerTests.ask(port, "\u{16}\u{3}\u{1}\n\n").hasPrefix("HTTP/1.1 400"))
            _ = Wire(port: port)
            let page = CallbackListenerTests.ask(port, CallbackListenerTests.get("/login-callback?code=c&state=s", port))
            #expect(page.hasPrefix("HTTP/1.1 200 OK\r\n"))
            withExtendedLifetime((empty, slow)) {}
        }
        guard case .answer(let query) = heard else { Issue.record("\(heard)"); return }
        #expect(query.answer == .code("c"))
    }

    @Test("C17: more connections than are kept do not keep the answer out")
    func flood() async throws {
        let heard = try await hear { port in
            let many = (0..<100).compactMap { _ in Wire(port: port) }
            let page = CallbackListenerTests.ask(port, CallbackListenerTests.get("/login-callback?code=c&state=s", port))
            #expect(page.hasPrefix("HTTP/1.1 200 OK\r\n"))
            withExtendedLifetime(many) {}
        }
        guard case .answer = heard else { Issue.record("\(heard)"); return }
    }

    @Test("C15: an answer with another state does not count, is told so, and does not end the login")
    func otherState() async throws {
        let heard = try await hear { port in
            for state in ["x", "ss", "", "S", "s%00"] {
                let page = CallbackListenerTests.ask(port, CallbackListenerTests.get("/login-callback?code=evil&state=\(state)", port))
                #expect(page.hasPrefix("HTTP/1.1 403"), "\(state)")
                #expect(!page.contains("evil"))
            }
            let error = CallbackListenerTests.ask(port, CallbackListenerTests.get("/login-callback?error=access_denied&state=x", port))
            #expect(error.hasPrefix("HTTP/1.1 403"))
            #expect(CallbackListenerTests.ask(port, CallbackListenerTests.get("/login-callback?code=c&state=s", port)).contains(" 200 "))
        }
        guard case .answer(let query) = heard else { Issue.record("\(heard)"); return }
        #expect(query.answer == .code("c"))
    }

    @Test("C16: POST, HEAD, another host and a query of 64 KiB are answered and do not count")
    func wrongRequests() async throws {
        let heard = try await hear(within: 2) { port in
            let query = "/login-callback?code=c&state=s"
            let post = "POST \(query) HTTP/1.1\r\nHost: localhost:\(port)\r\nContent-Length: 14\r\n\r\ncode=c&state=s"
            let answer = CallbackListenerTests.ask(port, post)
            #expect(answer.hasPrefix("HTTP/1.1 405"))
            #expect(answer.contains("Allow: GET\r\n"))
            let head = CallbackListenerTests.ask(port, "HEAD \(query) HTTP/1.1\r\nHost: localhost:\(port)\r\n\r\n")
            #expect(head.hasPrefix("HTTP/1.1 405"))
            #expect(head.hasSuffix("\r\n\r\n"))
            #expect(CallbackListenerTests.ask(port, "GET \(query) HTTP/1.1\r\nHost: evil.example\r\n\r\n").hasPrefix("HTTP/1.1 421"))
            let long = query + String(repeating: "c", count: 64 << 10)
            // Some of it may be unread when the page is sent; then the connection is reset and there is no page.
            let refused = CallbackListenerTests.ask(port, CallbackListenerTests.get(long, port))
            #expect(refused.isEmpty || refused.hasPrefix("HTTP/1.1 431"))
        }
        #expect(heard == .failure("no answer", [.otherMethod, .otherHost, .tooLarge]))
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
