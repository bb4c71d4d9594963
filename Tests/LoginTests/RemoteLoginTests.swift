import ChildProcess
import DemoProvider
import Foundation
import Testing
import Vocabulary

@testable import Login

@Suite("RemoteLogin: a browser on another machine, against the demo provider", .serialized)
struct RemoteLoginTests {
    static let page = "https://relay.example/opk"

    func withProvider<Value: Sendable>(_ control: Text = "{}", _ body: (DemoProvider) async throws -> Value) async throws -> Value {
        var options = DemoProviderOptions()
        options.redirectURIs += [Text(RemoteLoginTests.page)]
        options.control = [#"{"auto_login": "alice", "key_type": "ES256"}"#, control]
        let provider = try await DemoProvider.start(options)
        let result = try await body(provider)
        await provider.stop()
        return result
    }

    /// Pastes what `lines` makes of the address at which the browser ends.
    static func pasting(_ lines: @escaping @Sendable (_ callback: String) -> [String]) -> @Sendable (String, FileHandle) -> Void {
        { url, pipe in
            for line in lines(Robot.callback(after: url)) { pipe.write(Data((line + "\n").utf8)) }
        }
    }

    @Test("the pasted address ends the login, however long it is and whatever stands around it")
    func good() async throws {
        let forms: [@Sendable (String) -> String] = [
            { $0 }, { "  \t" + $0 + " \r" }, { $0 + "#_=_" }, { "\u{1B}[200~" + $0 + "\u{1B}[201~" },
            { $0 + "&session_state=" + String(repeating: "x", count: 20_000) },
        ]
        for form in forms {
            let attempt = try await withProvider { provider in
                await Elsewhere.remote(at: provider.issuer, paste: RemoteLoginTests.pasting { [form($0)] })
            }
            #expect(try attempt.result.get().who == "alice@example.com")
            #expect(attempt.kept == 1 && attempt.refusals.isEmpty)
        }
    }

    @Test("C15: what is no answer to this login is told why and asked again, and the right one then counts")
    func wrong() async throws {
        let attempt = try await withProvider { provider in
            await Elsewhere.remote(
                at: provider.issuer,
                paste: RemoteLoginTests.pasting { callback in
                    let state = callback.split(separator: "state=")[1].prefix { $0 != "&" }
                    return [
                        "https://evil.example/?" + callback.split(separator: "?")[1], callback.replacing(state, with: "other"), "",
                        callback,
                    ]
                })
        }
        #expect(try attempt.result.get().who == "alice@example.com")
        #expect(attempt.refusals.count == 3)
        #expect(attempt.refusals.first?.contains("begins with http://localhost:") == true)
        #expect(attempt.refusals.dropFirst().first?.contains("another login") == true)
    }

    @Test("five wrong pastes end the login, and so does the end of the input; no code is sent anywhere")
    func ends() async throws {
        try await withProvider { provider in
            let wrong = await Elsewhere.remote(
                at: provider.issuer, paste: RemoteLoginTests.pasting { callback in [String](repeating: "x", count: 5) + [callback] })
            guard case .wrongPastes(5) = wrong.error else { Issue.record("\(wrong.result)"); return }
            let ended = await Elsewhere.remote(
                at: provider.issuer,
                paste: { _, pipe in
                    pipe.write(Data("x".utf8))
                    try? pipe.close()
                })
            guard case .nothingPasted = ended.error else { Issue.record("\(ended.result)"); return }
            #expect(ended.refusals.count == 1)
            #expect(await provider.requestCount("/token") == 0)
        }
    }

    @Test("nothing pasted in time is no answer")
    func late() async throws {
        let attempt = try await withProvider { await Elsewhere.remote(at: $0.issuer, patience: 1, paste: { _, _ in }) }
        guard case .noAnswer = attempt.error else { Issue.record("\(attempt.result)"); return }
    }

    @Test("C02: a pasted answer of another provider ends the login, and no code is sent anywhere")
    func otherIssuer() async throws {
        try await withProvider(#"{"override": {"callback": {"iss": "https://evil.example"}}}"#) { provider in
            let attempt = await Elsewhere.remote(at: provider.issuer, paste: RemoteLoginTests.pasting { [$0] })
            guard case .answerFromAnother = attempt.error else { Issue.record("\(attempt.result)"); return }
            #expect(await provider.requestCount("/token") == 0 && attempt.kept == 0)
        }
    }

    @Test("a pasted refusal is the provider's")
    func refused() async throws {
        let attempt = try await withProvider(#"{"auto_login": "refuse"}"#) { provider in
            await Elsewhere.remote(at: provider.issuer, paste: RemoteLoginTests.pasting { [$0] })
        }
        guard case .refusedByProvider(error: "access_denied", description: _) = attempt.error else {
            Issue.record("\(attempt.result)")
            return
        }
    }

    @Test("an answer that comes by itself, through a forwarded port, counts as well")
    func forwarded() async throws {
        let page = Shared("")
        let attempt = try await withProvider { provider in
            await Elsewhere.remote(at: provider.issuer, paste: { url, _ in page.value = Robot.get(Robot.callback(after: url)) })
        }
        #expect(try attempt.result.get().who == "alice@example.com")
        #expect(page.value.contains("alice@example.com"))
    }

    @Test("without a free port what is pasted does")
    func noPort() async throws {
        let taken = try CallbackListener(firstFreeOf: [RedirectURI(host: .localhost, port: 0, path: "/login-callback")])
        let uri = taken.redirectURI
        let attempt = try await withProvider { provider in
            await Elsewhere.remote(
                at: provider.issuer, paste: RemoteLoginTests.pasting { [$0] }, options: { $0.provider.redirectURIs = [uri] })
        }
        #expect(try attempt.result.get().who == "alice@example.com")
    }

    @Test("with a page of somebody else's as the end, its address is pasted, or the answer that it shows")
    func remoteRedirect() async throws {
        for strip in [false, true] {
            let attempt = try await withProvider { provider in
                await Elsewhere.remote(
                    at: provider.issuer, paste: RemoteLoginTests.pasting { [strip ? String($0.split(separator: "?")[1]) : $0] },
                    options: { $0.provider.remoteRedirectURI = RemoteLoginTests.page })
            }
            #expect(try attempt.result.get().who == "alice@example.com")
            #expect("\(attempt.notices)".contains("redirect_uri=https%3A%2F%2Frelay.example%2Fopk"))
        }
    }

    @Test(
        "a remote redirect URI is https, without query or fragment",
        arguments: [
            "http://relay.example/", "https://relay.example/?a=b", "https://relay.example/#a", "javascript:x", "",
            "https://u@relay.example/",
            "http://localhost:3000/x",
        ])
    func badPage(uri: String) {
        var provider = ProviderConfig(issuer: "https://idp.example.com", clientID: "x")
        let error = #expect(throws: LoginError.self) { try provider.setRemoteRedirectURI(uri) }
        #expect(error?.isUsage == true && provider.remoteRedirectURI == nil)
    }

    @Test("C16: a paste is this redirect URI, a question mark, and every parameter once")
    func strict() throws {
        let redirect: Text = "http://localhost:3000/login-callback"
        func read(_ line: String, query: Bool = false) throws(PastedAnswer.Fault) -> CallbackQuery {
            try PastedAnswer.read(Array(line.utf8), endingAt: redirect, takesQuery: query, state: "s")
        }
        #expect(try read(redirect.string + "?code=c&state=s").answer == .code("c"))
        for (line, fault) in [
            ("", PastedAnswer.Fault.empty), (" \r\t ", .empty), ("code=c&state=s", .elsewhere), ("?code=c&state=s", .elsewhere),
            (redirect.string, .stray(.withoutQuery)), (redirect.string + "?", .stray(.withoutQuery)),
            (redirect.string + "#code=c&state=s", .stray(.withoutQuery)), (redirect.string + "x?code=c&state=s", .elsewhere),
            (redirect.string + "/?code=c&state=s", .elsewhere), ("http://localhost:3000/x?code=c&state=s", .elsewhere),
            ("https://localhost:3000/login-callback?code=c&state=s", .elsewhere),
            ("http://localhost:3000@evil.example/login-callback?code=c&state=s", .elsewhere),
            (redirect.string + "?code=c", .stray(.withoutState)), (redirect.string + "?code=c&state=t", .stray(.otherState)),
            (redirect.string + "?code=c&code=d&state=s", .stray(.repeatedParameter)),
            (redirect.string + "?code=c&error=e&state=s", .stray(.codeAndError)), (redirect.string + "?state=s", .stray(.withoutCode)),
            (redirect.string + "?code=%zz&state=s", .stray(.malformedQuery)),
        ] {
            #expect(throws: fault, "\(line)") { try read(line) }
            #expect(!fault.explanation(redirect).contains("code=c"))
        }
        #expect(try read("code=c&state=s", query: true).answer == .code("c"))
        #expect(try read("?state=s&code=c", query: true).answer == .code("c"))
        #expect(throws: PastedAnswer.Fault.elsewhere) { try read("https://evil.example/?code=c&state=s", query: true) }
    }

    @Test(
        "a terminal is asked to mark pastes, and told to stop at the end, unless it can only print", arguments: ["xterm", "dumb", "", nil])
    func marks(kind: String?) throws {
        let terminal = try PseudoTerminal()
        var environment = ProcessEnvironment.empty
        environment["TERM"] = kind
        let input = PastedInput(terminal.inside, environment: environment)
        #expect(input.isTerminal)
        input.end()
        #expect(terminal.seen() == (kind == "xterm" ? "\u{1B}[?2004h\u{1B}[?2004l" : ""))
    }

    @Test("a line is taken whole from a pipe, even without its end; one too long is no answer, and costs no memory")
    func lines() throws {
        let pipe = Pipe()
        let input = PastedInput(pipe.fileHandleForReading.fileDescriptor)
        #expect(input.read(within: 1) == .nothingYet && !input.isTerminal)
        pipe.fileHandleForWriting.write(Data("one\ntwo".utf8))
        #expect(input.read(within: 1000) == .line(Array("one".utf8)))
        #expect(input.read(within: 1000) == .some(3))
        pipe.fileHandleForWriting.write(Data([UInt8](repeating: 0x78, count: 60_000)))
        for _ in 0..<15 { _ = input.read(within: 1000) }
        try pipe.fileHandleForWriting.close()
        guard case .line(let long) = input.read(within: 1000) else { Issue.record("no line"); return }
        #expect(long.count <= PastedInput.longestLine + 1)
        #expect(input.read(within: 1) == .end && input.read(within: 1) == .end)
    }
}
