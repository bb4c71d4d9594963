import Foundation
import Identities
import SSHKeys
import Testing
import TokenStore
import Vocabulary

@testable import Login

@Suite("opk login --refresh and opk agent-refresh", .serialized, .enabled(if: RefreshDesk.isPossible, RefreshDesk.absence))
struct AgentRefreshCommandTests {
    @Test("opk login NAME --refresh keeps the token where it was told to, for this user alone, and says who keeps the login alive")
    func login() async throws {
        let desk = try await RefreshDesk()
        let run = try await desk.logIn()
        let record = try #require(try desk.record())
        #expect(record.refreshToken == .file && record.issuer == Text(desk.issuer))
        let token = try #require(try desk.token())
        #expect(token.movesEnd && token.clientID == "opk-demo")
        #expect(run.errors.contains("It is kept alive by `opk agent-refresh`"), "\(run)")
        for file in desk.keys where file.hasPrefix(".opk/tokens/") { #expect(try desk.folder.mode(file) == 0o600) }
        let secret = String(decoding: token.token.exposed, as: UTF8.self)
        #expect(!(run.output + run.errors).contains(secret))
    }

    @Test("the hint after a login: nothing to start where the person's service runs, what to start where it does not")
    func hint() async throws {
        let desk = try await RefreshDesk()
        for (status, words) in [
            (0, "kept alive by the service opk-agent-refresh."), (3, "systemctl --user enable --now opk-agent-refresh"),
        ] {
            let script = "#!/bin/sh\necho \"$@\" > \(desk.folder.path)/asked\nexit \(status)\n"
            try desk.folder.write(Array(script.utf8), to: "bin/systemctl", mode: 0o700)
            let run = try await desk.logIn(path: desk.folder.path + "/bin:/usr/bin:/bin")
            #expect(run.errors.contains(words), "\(run)")
            #expect(try textOfFile(desk.folder.path + "/asked") == "--user is-active --quiet opk-agent-refresh.service\n")
        }
    }

    @Test(
        "with the key in the agent the hint says what tells the service where the agent is, unless it knows",
        .enabled(if: TestAgent.isThere, "no ssh-agent"))
    func hintForAgent() async throws {
        let desk = try await RefreshDesk()
        let agent = try TestAgent()
        defer { agent.end() }
        let import_ = "systemctl --user import-environment SSH_AUTH_SOCK && systemctl --user "
        for (running, known, words) in [
            (1, "/another", import_ + "enable --now opk-agent-refresh"), (0, "/another", import_ + "restart opk-agent-refresh"),
            (1, agent.socket, "`opk agent-refresh`: systemctl --user enable"), (0, agent.socket, "kept alive by the service"),
        ] {
            let script = "#!/bin/sh\n[ \"$2\" = show-environment ] || exit \(running)\nprintf 'HOME=/x\\nSSH_AUTH_SOCK=%s\\n' \(known)\n"
            try desk.folder.write(Array(script.utf8), to: "bin/systemctl", mode: 0o700)
            let run = try await desk.logIn(["--store", "agent"], agent: agent.socket, path: desk.folder.path + "/bin:/usr/bin:/bin")
            #expect(run.errors.contains(words), "\(running) \(known): \(run)")
        }
    }

    @Test("C30: a refresh moves the certificate's end; the rotated token is kept and good for the next")
    func once() async throws {
        let desk = try await RefreshDesk()
        try await desk.logIn()
        let (before, first) = (try desk.certificate(), try #require(try desk.token()))
        // Three quarters of its life are not over.
        let early = try await desk.opk(["agent-refresh", "--once"])
        #expect(early.status == 0, "\(early)")
        #expect(try desk.certificate().blob == before.blob)
        let run = try await desk.opk(["agent-refresh", "--once", "--now", "--verbose", "work"])
        #expect(run.errors.contains("POST \(desk.issuer)/token: 200, "), "\(run)")
        #expect(run.status == 0 && run.errors.contains("work: refreshed; good until "), "\(run)")
        let after = try desk.certificate()
        #expect(after.key == before.key && after.validBefore >= before.validBefore + 99)
        let second = try #require(try desk.token())
        #expect(second.token != first.token)
        #expect(try await desk.opk(["agent-refresh", "--now"]).status == 0)
        #expect(try desk.token()?.token != second.token)
        #expect(try await desk.requests("/token") == 3)
        #expect(!run.errors.contains(String(decoding: second.token.exposed, as: UTF8.self)))
    }

    @Test("C30: invalid_grant drops the token and says once to log in again; the certificate stays")
    func invalidGrant() async throws {
        let desk = try await RefreshDesk()
        try await desk.logIn()
        let old = try #require(try desk.token())
        #expect(try await desk.opk(["agent-refresh", "--now"]).status == 0)
        // Used before: the provider takes it no more.
        try desk.tokens.keep(old, desk.name, in: .file)
        let before = try desk.certificateBytes()
        let run = try await desk.opk(["agent-refresh", "--now"])
        #expect(run.status == 1 && run.errors.contains("takes its refresh token no more"), "\(run)")
        #expect(run.errors.components(separatedBy: "run `opk login --refresh` again").count == 2, "\(run)")
        #expect(try desk.token() == nil && desk.record()?.refreshToken == nil && desk.certificateBytes() == before)
        let asked = try await desk.requests("/token")
        let again = try await desk.opk(["agent-refresh", "--now"])
        #expect(again.status == 0 && again.errors.contains("there is no identity with a refresh token"), "\(again)")
        #expect(try await desk.requests("/token") == asked)
    }

    @Test("opk login --auto-refresh stays: the token is kept, the login refreshed when it is due, and SIGTERM ends it with status 0")
    func autoRefresh() async throws {
        let desk = try await RefreshDesk()
        // Due at once: three quarters of a life that is over.
        try await desk.control(#"{"token_lifetime": 120, "issued_at_offset": -100}"#)
        let login = try RunningOpk(
            ["login", "work", "--auto-refresh", "--refresh-token-store", "file", "--timeout", "60s"], desk,
            adding: ["BROWSER": desk.folder.path + "/browser"])
        #expect(try await eventually { login.text.contains("work: refreshed; good until ") }, "\(login.text)")
        #expect(try desk.record()?.refreshToken == .file)
        #expect(try await desk.requests("/token") == 2)
        let stopped = await login.stop()
        #expect(stopped.status == 0 && login.text.hasSuffix("opk: stopped\n"), "\(login.text)")
        #expect(!login.text.contains(String(decoding: try #require(try desk.token()).token.exposed, as: UTF8.self)))
    }

    @Test(
        "opk login --auto-refresh where the provider gives no refresh token: the login stands, and status 1 says that it is not kept alive")
    func autoRefreshWithout() async throws {
        let desk = try await RefreshDesk()
        try await desk.control(#"{"refresh_token": false, "issued_at_offset": 0}"#)
        let run = try await desk.opk(["login", "work", "--auto-refresh", "--refresh-token-store", "file", "--timeout", "60s"])
        #expect(run.status == 1 && run.output.contains("Logged in as alice@example.com"), "\(run)")
        #expect(run.errors.contains("opk: error: ") && run.errors.contains("refresh token"), "\(run)")
        #expect(try desk.token() == nil)
        #expect(try await desk.opk(["status"]).status == 0)
    }

    @Test("SIGTERM while it sleeps ends it at once with status 0, and nothing was touched")
    func stopsAsleep() async throws {
        let desk = try await RefreshDesk()
        try await desk.logIn()
        let (before, token) = (try desk.certificateBytes(), try desk.token())
        let service = try RunningOpk(["agent-refresh"], desk)
        #expect(try await eventually { service.text.contains("work: refreshed when it is due, ") }, "\(service.text)")
        let stopped = await service.stop()
        #expect(stopped.status == 0 && stopped.seconds < 3, "\(stopped)")
        #expect(service.text.hasSuffix("opk: stopped\n"))
        #expect(try desk.certificateBytes() == before && desk.token() == token)
    }

    @Test("SIGTERM while the provider is slow to answer ends it after a moment with status 0, and the files are whole")
    func stopsWaiting() async throws {
        let desk = try await RefreshDesk()
        try await desk.logIn()
        let (before, token) = (try desk.certificateBytes(), try desk.token())
        try await desk.control(#"{"faults": {"token": {"kind": "slow", "seconds": 10}}}"#)
        let refresh = try RunningOpk(["agent-refresh", "--now"], desk)
        #expect(try await eventually { try await desk.requests("/token") == 2 })
        let stopped = await refresh.stop()
        #expect(stopped.status == 0 && stopped.seconds > 0.5 && stopped.seconds < 3, "\(stopped) \(refresh.text)")
        #expect(try desk.certificateBytes() == before && desk.token() == token)
        #expect(try await desk.opk(["status"]).status == 0)
    }

    @Test("two at once use a token each or leave it to the other, and the login is refreshed afterwards as before")
    func twoAtOnce() async throws {
        let desk = try await RefreshDesk()
        try await desk.logIn()
        try await desk.control(#"{"faults": {"token": {"kind": "slow", "seconds": 1}}}"#)
        let both = [try RunningOpk(["agent-refresh", "--now"], desk), try RunningOpk(["agent-refresh", "--now"], desk)]
        for one in both { #expect(await one.end() == 0, "\(one.text)") }
        let asked = try await desk.requests("/token")
        let refreshed = both.map { $0.text.components(separatedBy: "work: refreshed").count - 1 }.reduce(0, +)
        #expect(refreshed >= 1 && asked == 1 + refreshed)
        #expect(try await desk.opk(["agent-refresh", "--now"]).status == 0)
        #expect(try await desk.requests("/token") == asked + 1)
    }

    @Test("a login that cannot be written leaves the old key with its refresh token; one that is written takes the old token away")
    func keptUntilReplaced() async throws {
        let desk = try await RefreshDesk()
        try await desk.logIn()
        let (before, token) = (try desk.certificateBytes(), try #require(try desk.token()))
        let (key, browser) = (desk.folder.path + "/.ssh/id_ecdsa", desk.folder.path + "/browser")
        let (bytes, program) = (try bytesOfFile(key), try textOfFile(browser))
        // What the new key cannot be put in the place of comes after everything was looked at, and before it is written.
        try desk.folder.write(
            Array(program.replacing("\nexec", with: "\nrm \(key) && mkdir \(key)\nexec").utf8), to: "browser", mode: 0o700)
        let bad = try await desk.opk(["login", "work", "--timeout", "60s"])
        #expect(bad.status == 1, "\(bad)")
        #expect(try desk.token() == token && desk.record()?.refreshToken == .file && desk.certificateBytes() == before)
        try FileManager.default.removeItem(atPath: key)
        try desk.folder.write(bytes, to: ".ssh/id_ecdsa")
        try desk.folder.write(Array(program.utf8), to: "browser", mode: 0o700)
        #expect(try await desk.opk(["agent-refresh", "--now"]).status == 0)
        let good = try await desk.opk(["login", "work", "--timeout", "60s"])
        #expect(good.status == 0, "\(good)")
        #expect(try desk.token() == nil && desk.record()?.refreshToken == nil)
    }

    @Test(
        "with the key in ssh-agent a refresh signs there and renews the certificate's file; with both, the agent's certificate too",
        .enabled(if: TestAgent.isThere, "no ssh-agent"), arguments: ["agent", "both"])
    func inAgent(store: String) async throws {
        let desk = try await RefreshDesk()
        let agent = try TestAgent()
        defer { agent.end() }
        try await desk.logIn(["--store", store], agent: agent.socket)
        let before = try desk.certificate()
        let run = try await desk.opk(["agent-refresh", "--now"], agent: agent.socket)
        #expect(run.status == 0, "\(run)")
        let after = try desk.certificate()
        #expect(after.key == before.key && after.validBefore >= before.validBefore + 99)
        let held = try agent.identities().map(\.blob)
        #expect(held.contains(try #require(after.key).sshBlob))
        if store == "both" { #expect(held.contains(after.blob) && !held.contains(before.blob)) }
        #expect(try await desk.opk(["status"], agent: agent.socket).status == 0)
        // Without the agent a key that is nowhere else signs nothing, and the token is kept for another try.
        let asked = try await desk.requests("/token")
        let without = try await desk.opk(["agent-refresh", "--now"])
        #expect(without.status == 1 && without.errors.contains("not refreshed") && !without.errors.contains("trying again"), "\(without)")
        if store == "agent" { #expect(try await desk.requests("/token") == asked) }
        #expect(try desk.token() != nil)
    }
}
