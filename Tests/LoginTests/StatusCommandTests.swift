import Foundation
import SSHKeys
import Testing
import Vocabulary

@testable import Login

@Suite("opk status", .serialized, .enabled(if: RefreshDesk.isPossible, RefreshDesk.absence))
struct StatusCommandTests {
    private func document(_ run: CommandTests.Run) throws -> (first: [String: Any]?, problems: [String]) {
        let object = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        return ((object["identities"] as? [[String: Any]])?.first, try #require(object["problems"] as? [String]))
    }

    @Test("nobody logged in: exit status 1, words and the next command for a person, nothing for a prompt, an empty list for a script")
    func nobody() async throws {
        let desk = try await RefreshDesk()
        let plain = try await desk.opk(["status"])
        #expect(plain.status == 1 && plain.output == "Nobody is logged in here.\n" && plain.errors == "opk: hint: run `opk login`\n")
        let short = try await desk.opk(["status", "--short"])
        #expect(short.status == 1 && short.output.isEmpty && short.errors.isEmpty, "\(short)")
        let json = try await desk.opk(["status", "--json"])
        #expect(try json.status == 1 && document(json).first == nil && document(json).problems.isEmpty, "\(json)")
        let named = try await desk.opk(["status", "work"])
        #expect(named.status == 1 && named.errors.hasPrefix("opk: error: nobody is logged in as work here\n"), "\(named)")
    }

    @Test("a good identity is 0, a damaged one 2, an expired one 1; in words, as JSON and in one line; the provider is never asked")
    func states() async throws {
        let desk = try await RefreshDesk()
        try await desk.logIn()
        desk.endProvider()
        let good = try await desk.opk(["status"])
        #expect(good.status == 0 && good.output.hasPrefix("work: alice@example.com at \(desk.issuer)\n  good until "), "\(good)")
        #expect(good.output.contains("  would be refreshed, but nobody does it (refresh token: file); start: "), "\(good)")
        #expect(try await desk.opk(["status", "work"]).output.hasPrefix("work: alice@example.com at \(desk.issuer)\n"))
        let short = try await desk.opk(["status", "--short"])
        #expect(short.status == 0 && short.output.wholeMatch(of: /work \d[^\n]*\n/) != nil, "\(short)")
        let json = try await desk.opk(["status", "--json"])
        let identity = try #require(try document(json).first)
        #expect(identity["name"] as? String == "work" && identity["state"] as? String == "good")
        #expect(identity["who"] as? String == "alice@example.com" && identity["issuer"] as? String == desk.issuer)
        #expect(identity["store"] as? String == "file" && identity["refresh_token"] as? String == "file")
        #expect(identity["in_agent"] is NSNull && identity["ends"] as? Int != nil && identity["refresher_runs"] as? Bool == false)
        #expect(identity["remedy"] is NSNull)
        #expect(!(good.output + json.output).contains("eyJ"))
        try FileManager.default.removeItem(atPath: desk.folder.path + "/.ssh/id_ecdsa")
        let damaged = try await desk.opk(["status", "--json"])
        #expect(try damaged.status == 2 && document(damaged).first?["state"] as? String == "damaged", "\(damaged)")
        #expect(try document(damaged).first?["remedy"] as? String == "opk login work --refresh")
        #expect(try await desk.opk(["status"]).output.contains("  next: opk login work --refresh\n"))
        #expect(try await desk.opk(["status", "--short"]).output == "work damaged\n")
    }

    @Test("a login is said to be refreshed by itself while somebody does it, of all logins or of this one, and not afterwards")
    func lookedAfter() async throws {
        let desk = try await RefreshDesk()
        try await desk.logIn()
        for arguments in [["agent-refresh"], ["agent-refresh", "work"]] {
            let service = try RunningOpk(arguments, desk)
            #expect(try await eventually { service.text.contains("work: refreshed when it is due, ") }, "\(service.text)")
            let run = try await desk.opk(["status"])
            #expect(run.output.contains("  refreshed by itself (refresh token: file)\n"), "\(run)")
            #expect(try document(try await desk.opk(["status", "--json"])).first?["refresher_runs"] as? Bool == true)
            #expect(await service.stop().status == 0)
            #expect(try await desk.opk(["status"]).output.contains("  would be refreshed, but nobody does it"))
        }
    }

    @Test("hosts that opk setup ssh was given are shown, before what the configuration says")
    func hosts() async throws {
        let desk = try await RefreshDesk()
        try await desk.logIn()
        #expect(try document(try await desk.opk(["status", "--json"])).first?["hosts"] as? [String] == [])
        // As `opk setup ssh --provider work --hosts …` writes it.
        let own = [
            "# Written by `opk setup ssh`, anew each time; `opk setup ssh --undo` takes it away. Do not edit it.",
            "# opk setup ssh --provider work --hosts *.example.com !old.example.com", "",
        ].joined(separator: "\n")
        try desk.folder.write(Array(own.utf8), to: ".ssh/opk/config")
        #expect(try await desk.opk(["status"]).output.contains("  for *.example.com !old.example.com\n"))
        let json = try await desk.opk(["status", "--json"])
        #expect(try document(json).first?["hosts"] as? [String] == ["*.example.com", "!old.example.com"], "\(json)")
        let login = try await desk.opk(["login", "work", "--timeout", "60s"])
        #expect(login.output.contains("ssh uses it for *.example.com !old.example.com: "), "\(login)")
    }

    @Test("an unknown name's next command is a login, an ended login's as well")
    func unknown() async throws {
        let desk = try await RefreshDesk()
        let run = try await desk.opk(["status", "work"])
        #expect(run.status == 1 && run.errors.contains("opk: hint: run `opk login work`"), "\(run)")
    }

    @Test(
        "an agent that is locked is said to be, with what unlocks it; one that lacks the key asks for a login",
        .enabled(if: TestAgent.isThere, "no ssh-agent"))
    func locked() async throws {
        let desk = try await RefreshDesk()
        let agent = try TestAgent()
        defer { agent.end() }
        try await desk.logIn(["--store", "agent"], agent: agent.socket)
        try agent.lock()
        let run = try await desk.opk(["status"], agent: agent.socket)
        #expect(run.status == 2 && run.output.contains("ssh-agent does not hold its key: ssh-agent is locked"), "\(run)")
        #expect(run.output.contains("  next: ssh-add -X\n"))
        let lost = try await desk.opk(["status"])
        #expect(lost.output.contains("  next: opk login work --store agent --refresh\n"), "\(lost)")
    }

    @Test(
        "a login in the agent alone whose certificate ssh would not find after a refresh says how it does, after the login and in status",
        .enabled(if: TestAgent.isThere, "no ssh-agent"))
    func agentOptions() async throws {
        let desk = try await RefreshDesk()
        let agent = try TestAgent()
        defer { agent.end() }
        for name in ["id_ecdsa", "id_ecdsa_sk"] { try desk.folder.write(try KeyPlaceTests.foreign().private, to: ".ssh/" + name) }
        let login = try await desk.logIn(["--store", "agent"], agent: agent.socket)
        let key = desk.folder.path + "/.ssh/opk/work"
        let words = "ssh -o CertificateFile=\(key)-cert.pub -i \(key).pub USER@HOST"
        #expect(login.output.contains("Connect: \(words)\n") && login.output.contains("`opk setup ssh`"), "\(login)")
        let status = try await desk.opk(["status"], agent: agent.socket)
        #expect(status.status == 0 && status.output.contains("  note: after a refresh ssh finds it with `\(words)`"), "\(status)")
        let json = try document(try await desk.opk(["status", "--json"], agent: agent.socket))
        #expect(json.first?["ssh_options"] as? String == "-o CertificateFile=\(key)-cert.pub -i \(key).pub")
        // Without a refresh the agent has all that ssh needs.
        let plain = try await desk.opk(["login", "work", "--timeout", "60s", "--store", "agent"], agent: agent.socket)
        #expect(plain.output.contains("Connect: ssh USER@HOST\n"), "\(plain)")
    }

    @Test("an identity that has ended is 1")
    func expired() async throws {
        let desk = try await RefreshDesk()
        try await desk.control(#"{"issued_at_offset": 0, "token_lifetime": 4}"#)
        let run = try await desk.opk(["login", "work", "--timeout", "60s", "--valid-for", "oidc"])
        guard run.status == 0 else { Issue.record("\(run)"); return }
        try await Task.sleep(for: .seconds(5))
        let short = try await desk.opk(["status", "--short"])
        #expect(short.status == 1 && short.output == "work expired\n", "\(short)")
        #expect(try await desk.opk(["status"]).output.contains("  expired "))
    }

    @Test("a record that others may write is not believed: 2, and it is named")
    func unreadable() async throws {
        let desk = try await RefreshDesk()
        try desk.folder.write(Array("{".utf8), to: ".opk/identities/work.json", mode: 0o666)
        let run = try await desk.opk(["status"])
        #expect(run.status == 2 && run.output.contains("work.json"), "\(run)")
    }

    @Test(
        "a key in ssh-agent alone: good where the agent holds it, damaged where it does not or there is none",
        .enabled(if: TestAgent.isThere, "no ssh-agent"))
    func inAgent() async throws {
        let desk = try await RefreshDesk()
        let (agent, other) = (try TestAgent(), try TestAgent())
        defer {
            agent.end()
            other.end()
        }
        try await desk.logIn(["--store", "agent"], agent: agent.socket)
        let held = try await desk.opk(["status", "--json"], agent: agent.socket)
        #expect(try held.status == 0 && document(held).first?["in_agent"] as? Bool == true, "\(held)")
        #expect(try document(held).first?["key_file"] is NSNull)
        for socket in [other.socket, nil] {
            let lost = try await desk.opk(["status", "--json"], agent: socket)
            #expect(try lost.status == 2 && document(lost).first?["in_agent"] as? Bool == false, "\(lost)")
            #expect(try await desk.opk(["status"], agent: socket).output.contains("problem: ssh-agent does not hold its key"))
        }
    }
}
