import Foundation
import JOSE
import TestSupport
import Testing
import Vocabulary

@testable import Login

/// Every way in which a login usually fails, as a person meets it: the program says the cause and the next command. The agent's are among
/// the agent's own tests.
@Suite("opk login says what went wrong and what to do about it", .serialized)
struct MannersTests {
    /// A provider that says what a test wants where the browser goes and where the code goes.
    private func provider(
        authorize: @escaping @Sendable (_ redirect: String, _ state: String, ScriptedServer.Connection) -> Void = MannersTests.sendBack,
        token: @escaping @Sendable (ScriptedServer.Connection) -> Void = { $0.answer(500, "{}") }
    ) throws -> ScriptedServer {
        let server = try ScriptedServer()
        let url = server.url
        server.play { request, connection in
            let query = URLComponents(string: request.target)?.queryItems ?? []
            switch request.target.prefix(while: { $0 != "?" }) {
            case "/.well-known/openid-configuration":
                connection.answer(
                    #"{"issuer":"\#(url)","jwks_uri":"\#(url)/jwks","authorization_endpoint":"\#(url)/authorize","token_endpoint":"\#(url)/token"}"#
                )
            case "/authorize":
                let value = { (name: String) in query.first { $0.name == name }?.value ?? "" }
                authorize(value("redirect_uri"), value("state"), connection)
            case "/token": token(connection)
            default: connection.answer(404, "{}")
            }
        }
        return server
    }

    private static func sendBack(_ redirect: String, _ state: String, _ connection: ScriptedServer.Connection) {
        connection.answer(302, headers: ["Location: \(redirect)?code=abc&state=\(state)"], "")
    }

    /// - Parameter browser: what it does with the address, `$1`.
    private func logIn(
        at issuer: String, timeout: String = "30s", browser: String = #"exec curl -sSL -o /dev/null "$1""#, client: String = "opk-test",
        adding: [String: String] = [:]
    ) async throws -> CommandTests.Run {
        let folder = try TemporaryFolder()
        try folder.write(Array("#!/bin/sh\n\(browser)\n".utf8), to: "browser", mode: 0o700)
        let run = try await CommandTests.run(
            ["login", "--provider", "\(issuer),\(client)", "--redirect-uri", "http://localhost:0/cb", "--timeout", timeout],
            home: folder.path, browser: folder.path + "/browser", adding: adding)
        #expect(!folder.names.contains { $0.contains("id_") }, "nothing is written")
        return run
    }

    /// The line of the error and that of the hint.
    private func said(_ run: CommandTests.Run) -> (error: String, hint: String) {
        let lines = run.errors.split(separator: "\n").map(String.init)
        return (lines.first { $0.hasPrefix("opk: error: ") } ?? "", lines.first { $0.hasPrefix("opk: hint: ") } ?? "")
    }

    @Test("no network: a name that is not known, and nobody who answers")
    func noNetwork() async throws {
        let unknown = try await logIn(at: "https://idp.invalid")
        #expect(unknown.status == 1 && said(unknown).error.contains("https://idp.invalid cannot be reached: "), "\(unknown)")
        #expect(said(unknown).hint.contains("is this machine online?") && said(unknown).hint.contains("getent hosts idp.invalid"))
        let silent = try await logIn(at: "http://localhost:1")
        #expect(silent.status == 1 && said(silent).error.contains("no connection"), "\(silent)")
        #expect(said(silent).error.components(separatedBy: "http://localhost:1").count == 2, "the address once: \(silent)")
        #expect(said(silent).hint.contains("is localhost up, and does the network"))
    }

    private static let faketime = ["x86_64", "aarch64"].map { "/usr/lib/\($0)-linux-gnu/faketime/libfaketime.so.1" }
        .first { FileManager.default.fileExists(atPath: $0) }

    @Test(
        "a clock that is ten years off: TLS fails, and the hint says what time this machine believes it is",
        .enabled(if: OpenSSLServer.isThere && faketime != nil, "no openssl or no libfaketime"), arguments: ["+10y", "-10y"])
    func clockByYears(off: String) async throws {
        let server = try OpenSSLServer(certificate: .good, connections: 100)
        let faked = ["SSL_CERT_FILE": server.authority, "LD_PRELOAD": Self.faketime ?? "", "FAKETIME": off]
        var run = try await logIn(at: "https://localhost:\(server.port)", adding: faked)
        for _ in 0..<50 where run.errors.contains("no connection") {
            try await Task.sleep(for: .milliseconds(100))
            run = try await logIn(at: "https://localhost:\(server.port)", adding: faked)
        }
        let year = Calendar(identifier: .gregorian).component(.year, from: Date()) + (off.hasPrefix("+") ? 10 : -10)
        #expect(run.status == 1 && said(run).hint.contains("this machine's clock says \(year)-"), "\(run)")
        #expect(said(run).hint.contains("timedatectl set-ntp true"))
    }

    @Test("an authority that is not trusted is no matter of the clock", .enabled(if: OpenSSLServer.isThere, "no openssl"))
    func unknownAuthority() async throws {
        let server = try OpenSSLServer(certificate: .selfSigned, connections: 100)
        var run = try await logIn(at: "https://localhost:\(server.port)")
        for _ in 0..<50 where run.errors.contains("no connection") {
            try await Task.sleep(for: .milliseconds(100))
            run = try await logIn(at: "https://localhost:\(server.port)")
        }
        #expect(said(run).hint.contains("SSL_CERT_FILE") && !said(run).hint.contains("clock"), "\(run)")
    }

    @Test(
        "C40: a clock that is behind or ahead is said, by how much and which way",
        arguments: [(720, "12 min behind"), (-90_000, "1 d 1 h ahead")])
    func clock(offset: Int, words: String) async throws {
        let folder = try TemporaryFolder()
        let (run, _) = try await CommandTests().logIn([], provider: ["--control", #"{"issued_at_offset": \#(offset)}"#], in: folder)
        #expect(run.status == 1 && said(run).hint.contains("this machine's clock seems to be \(words); set it: "), "\(run)")
    }

    @Test(
        "a client id that the provider does not know, or does not let in, is named, with where it is written",
        arguments: [("invalid_client", "check the client id"), ("unauthorized_client", "authorization code grant")])
    func client(error: String, words: String) async throws {
        let server = try provider(token: { $0.answer(401, #"{"error":"\#(error)","error_description":"nobody I know"}"#) })
        let run = try await logIn(at: server.url, client: "misspelt")
        #expect(run.status == 1 && said(run).error.contains("does not take the client id misspelt: \(error) (nobody I know)"), "\(run)")
        #expect(said(run).hint.contains(words))
        // The same where the browser brings it back.
        let inBrowser = try provider(authorize: { redirect, state, connection in
            connection.answer(302, headers: ["Location: \(redirect)?error=\(error)&state=\(state)"], "")
        })
        #expect(said(try await logIn(at: inBrowser.url, client: "misspelt")).error.contains("client id misspelt: \(error)"))
    }

    @Test("a redirect that is not registered is known to the browser alone: after the wait the address to register is named")
    func redirect() async throws {
        let server = try provider(authorize: { _, _, connection in connection.answer(400, type: "text/html", "redirect_uri_mismatch") })
        let run = try await logIn(at: server.url, timeout: "2s")
        #expect(run.status == 1 && said(run).error.contains("nothing came back from the browser in time"), "\(run)")
        let hint = said(run).hint
        #expect(hint.contains("redirect_uri, register http://localhost:") && hint.contains("/cb there for the client opk-test"), "\(hint)")
    }

    @Test("a page that was closed, or never came, ends the wait with what to run")
    func popupClosed() async throws {
        let server = try provider()
        let run = try await logIn(at: server.url, timeout: "2s", browser: "exit 0")
        #expect(run.status == 1 && said(run).hint.contains("was the page closed? Run `opk login` again"), "\(run)")
    }

    @Test("a person who refuses is told that, and a provider that is out of order is not taken for one")
    func refused() async throws {
        for (error, words) in [
            ("access_denied", "the login was cancelled or refused in the browser; run `opk login` again"),
            ("temporarily_unavailable", "the provider has a fault of its own"), ("invalid_scope", "--scopes"),
        ] {
            let server = try provider(authorize: { redirect, state, connection in
                connection.answer(302, headers: ["Location: \(redirect)?error=\(error)&state=\(state)"], "")
            })
            let run = try await logIn(at: server.url)
            #expect(
                run.status == 1 && said(run).error.contains("the provider said no: \(error)") && said(run).hint.contains(words), "\(run)")
        }
        let used = try provider(token: { $0.answer(400, #"{"error":"invalid_grant"}"#) })
        #expect(said(try await logIn(at: used.url)).hint.contains("run `opk login` again"))
    }

    @Test("an email that is missing or not verified is said, with what to do; the login is good all the same")
    func email() async throws {
        for (person, words) in [("dave", ",opk-demo --scopes 'openid email'"), ("carol", "Verify it there and log in again.")] {
            let folder = try TemporaryFolder()
            let (run, _) = try await CommandTests().logIn([], provider: ["--auto-login", person], in: folder)
            #expect(run.status == 0 && run.output.contains(words), "\(run)")
        }
    }

    @Test("a port that is taken is named, with what to do, before anybody logs in")
    func portTaken() async throws {
        let (taken, server) = (try ScriptedServer(), try provider())
        let uri = "http://127.0.0.1:\(taken.port)/cb"
        let folder = try TemporaryFolder()
        let run = try await CommandTests.run(["login", "--provider", "\(server.url),x", "--redirect-uri", uri], home: folder.path)
        #expect(run.status == 1 && said(run).error.contains("every port for the browser's answer is taken: \(uri)"), "\(run)")
        #expect(said(run).hint.contains("another `opk login`?") && said(run).hint.contains("--redirect-uri"))
        #expect(!server.requests.contains { $0.target.hasPrefix("/authorize") })
    }
}
