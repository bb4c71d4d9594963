import Foundation
import TestSupport
import Testing

@testable import Login

/// How much the program says, and that no secret is in it.
@Suite("opk login: --quiet, --verbose, and what the last lines say", .serialized, .enabled(if: RefreshDesk.isPossible, RefreshDesk.absence))
struct OutputOptionsTests {
    @Test("--quiet: a login that goes well says nothing at all, one that does not says its error and the hint")
    func quiet() async throws {
        let desk = try await RefreshDesk()
        let good = try await desk.opk(["login", "work", "--quiet", "--timeout", "60s"])
        #expect(good.status == 0 && good.output.isEmpty && good.errors.isEmpty, "\(good)")
        #expect(!desk.keys.isEmpty)
        try await desk.control(#"{"auto_login": "refuse"}"#)
        let bad = try await desk.opk(["login", "work", "-q", "--timeout", "60s"])
        let lines = bad.errors.split(separator: "\n")
        #expect(bad.status == 1 && bad.output.isEmpty && lines.count == 2, "\(bad)")
        #expect(lines.first?.hasPrefix("opk: error: ") == true && lines.last?.hasPrefix("opk: hint: ") == true)
    }

    @Test("--quiet: what nobody can log in without is said all the same")
    func quietRemote() async throws {
        let seen = try await TerminalTests.logIn(
            ["--remote", "-q"], steps: [["see", "What you paste is not shown"], ["paste", "alice"], ["end"]], home: try TemporaryFolder())
        #expect(seen.status == 0 && seen.raw?.contains("/authorize?") == true && seen.raw?.contains("left") == false, "\(seen)")
        #expect(seen.raw?.contains("Logged in") == false)
    }

    @Test("--verbose: each request by method, address and answer; no code, state, token, nonce or client secret in it")
    func verbose() async throws {
        let secret = "client-s3cret"
        let desk = try await RefreshDesk(provider: ["--client", "confidential:" + secret])
        let configuration = try String(decoding: desk.folder.read(".opk/config.yml"), as: UTF8.self)
        try desk.folder.write(
            Array(configuration.replacing("client_id: opk-demo", with: "client_id: confidential\n    client_secret: \(secret)").utf8),
            to: ".opk/config.yml")
        // The browser writes down where it is led: the code and the state are in it.
        try desk.folder.write(
            Array("#!/bin/sh\nexec curl -sSL -o /dev/null -D \(desk.folder.path)/led \"$1\"\n".utf8), to: "browser", mode: 0o700)
        let run = try await desk.opk([
            "login", "work", "--verbose", "--timeout", "60s", "--refresh", "--refresh-token-store", "file",
        ])
        #expect(run.status == 0, "\(run)")
        let lines = run.errors.split(separator: "\n").map(String.init)
        let asked = lines.filter { $0.hasPrefix("· ") }
        for path in ["/.well-known/openid-configuration: 200, ", "/token: 200, ", "/jwks: 200, "] {
            #expect(asked.contains { $0.contains(desk.issuer + path) }, "\(path) \(run)")
        }
        #expect(asked.contains { $0.hasPrefix("· POST ") } && asked.allSatisfy { $0.hasSuffix(" ms") && !$0.contains("?") }, "\(asked)")
        let led = try textOfFile(desk.folder.path + "/led")
        let callback = try #require(led.firstMatch(of: /[Ll]ocation: http:[^\r\n]+\/cb\?([^\r\n]+)/)?.1)
        let values = callback.split(separator: "&").filter { $0.hasPrefix("code=") || $0.hasPrefix("state=") }
            .compactMap { $0.split(separator: "=").last }.map(String.init)
        #expect(values.count == 2)
        let token = String(decoding: try #require(try desk.token()).token.exposed, as: UTF8.self)
        // The address that the person is to open has the state and the nonce; it is for this terminal.
        let said = (lines.filter { !$0.hasPrefix(desk.issuer + "/authorize?") } + [run.output]).joined(separator: "\n")
        for value in values + [token, secret, "eyJ", "Bearer", "Basic "] { #expect(!said.contains(value), "\(value)") }
        // Not without being asked to.
        let usual = try await desk.opk(["login", "work", "--timeout", "60s"])
        #expect(usual.status == 0 && !usual.errors.contains("· "))
    }

    @Test("--quiet and --verbose are not together")
    func both() async throws {
        #expect(try await CommandTests.run(["login", "google", "-q", "-v"], home: "/nonexistent").status == 64)
    }

    @Test("where ssh has been set up the last line says for which hosts it uses the login; else how to connect")
    func hosts() async throws {
        let desk = try await RefreshDesk()
        let configuration = try String(decoding: desk.folder.read(".opk/config.yml"), as: UTF8.self)
        try desk.folder.write(
            Array(
                configuration.replacing(
                    "client_id: opk-demo", with: "client_id: opk-demo\n    hosts: ['*.example.com', '!old.example.com']"
                ).utf8),
            to: ".opk/config.yml")
        let before = try await desk.opk(["login", "work", "--timeout", "60s"])
        #expect(before.status == 0 && before.output.contains("Connect: ssh ") && !before.output.contains("ssh uses it"), "\(before)")
        try desk.folder.write(Array("# written by opk setup ssh\n".utf8), to: ".ssh/opk/config")
        let run = try await desk.opk(["login", "work", "--timeout", "60s"])
        #expect(
            run.status == 0 && run.output.hasSuffix("ssh uses it for *.example.com !old.example.com: ssh USER@HOST\n"), "\(run)")
        #expect(!run.output.contains("Connect: "))
    }
}

/// What the provider's own session becomes.
@Suite("opk logout --browser", .serialized, .enabled(if: RefreshDesk.isPossible, RefreshDesk.absence))
struct LogoutBrowserTests {
    @Test("the provider's logout page is opened for the client, with no token in its address; without --browser nobody goes there")
    func opened() async throws {
        let desk = try await RefreshDesk()
        try await desk.logIn()
        #expect(try await desk.opk(["logout", "work"]).status == 0)
        #expect(try await desk.requests("/end_session") == 0)
        try await desk.logIn()
        let script = "#!/bin/sh\nprintf '%s' \"$1\" > \(desk.folder.path)/led\nexec curl -sSL -o /dev/null \"$1\"\n"
        try desk.folder.write(Array(script.utf8), to: "browser", mode: 0o700)
        let run = try await desk.opk(["logout", "work", "--browser"])
        #expect(run.status == 0 && desk.keys.isEmpty, "\(run)")
        #expect(try await eventually { try await desk.requests("/end_session") == 1 })
        let address = try textOfFile(desk.folder.path + "/led")
        #expect(address == desk.issuer + "/end_session?client_id=opk-demo")
        #expect(run.errors.split(separator: "\n").contains { $0 == address }, "\(run)")
    }

    @Test("a page that cannot be opened is named; a provider without one, and one that cannot be asked, are said")
    func named() async throws {
        let desk = try await RefreshDesk()
        try await desk.logIn()
        let none = ["PATH": "/usr/bin:/bin", "BROWSER": "/nonexistent/browser"]
        let printed = try await CommandTests.run(["logout", "work", "--browser"], home: desk.folder.path, adding: none)
        #expect(printed.status == 0 && printed.errors.contains("Open this address"), "\(printed)")
        #expect(printed.errors.contains("\n\(desk.issuer)/end_session?client_id=opk-demo\n"), "\(printed)")
        try await desk.logIn()
        try await desk.control(#"{"override": {"discovery": {"end_session_endpoint": null}}}"#)
        let without = try await desk.opk(["logout", "work", "--browser"])
        #expect(without.status == 0 && without.errors.contains("no logout page"), "\(without)")
        #expect(try await desk.requests("/end_session") == 0)
        // Without a refresh token there is nobody else to tell.
        #expect(try await desk.opk(["login", "work", "--timeout", "60s"]).status == 0)
        desk.endProvider()
        let unreachable = try await desk.opk(["logout", "work", "--browser"])
        #expect(unreachable.status == 1 && unreachable.errors.contains("logout page: "), "\(unreachable)")
        #expect(desk.keys.isEmpty)
    }
}
