import Foundation
import SSHKeys
import Testing
import Vocabulary

@testable import Login

@Suite("opk logout", .serialized, .enabled(if: RefreshDesk.isPossible, RefreshDesk.absence))
struct LogoutCommandTests {
    @Test("nothing to do is 0 and said, with --all as well; an unknown name is an error")
    func nothing() async throws {
        let desk = try await RefreshDesk()
        for arguments in [["logout"], ["logout", "--all"]] {
            let run = try await desk.opk(arguments)
            #expect(run.status == 0 && run.output == "Nobody is logged in here; nothing to do.\n" && run.errors.isEmpty, "\(run)")
        }
        let named = try await desk.opk(["logout", "work"])
        #expect(named.status == 1 && named.errors.hasPrefix("opk: error: "), "\(named)")
    }

    @Test(
        "key, certificate, agent's keys, refresh token and record go, and the provider revokes the token; a second logout has nothing to do",
        .enabled(if: TestAgent.isThere, "no ssh-agent"), arguments: ["file", "agent", "both"])
    func everything(store: String) async throws {
        let desk = try await RefreshDesk()
        let agent = try TestAgent()
        defer { agent.end() }
        try await desk.logIn(["--store", store], agent: agent.socket)
        #expect(try agent.identities().isEmpty == (store == "file"))
        #expect(!desk.keys.isEmpty)
        // Somebody's own key stays.
        try desk.folder.write(Array("my own".utf8), to: ".ssh/mine")
        let run = try await desk.opk(["logout", "work"], agent: agent.socket)
        #expect(run.status == 0 && run.errors.isEmpty, "\(run)")
        #expect(run.output.contains("work: revoked its refresh token at the provider\n"))
        #expect(run.output.hasSuffix("Logged out: alice@example.com at \(desk.issuer) (work).\n"))
        #expect(desk.keys.isEmpty && desk.folder.names.contains(".ssh/mine"), "\(desk.keys)")
        #expect(try agent.identities().isEmpty)
        #expect(try await desk.requests("/revoke") == 1)
        #expect(try await desk.opk(["logout"], agent: agent.socket).status == 0)
    }

    @Test("--json is one object and nothing else on standard output; --quiet is silence; --verbose says who is asked")
    func outputs() async throws {
        let desk = try await RefreshDesk()
        let none = try await desk.opk(["logout", "--json"])
        let empty = try #require(try JSONSerialization.jsonObject(with: Data(none.output.utf8)) as? [String: Any])
        #expect(none.status == 0 && (empty["identities"] as? [Any])?.isEmpty == true)
        try await desk.logIn()
        let run = try await desk.opk(["logout", "--json", "--verbose"])
        let object = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        let one = try #require((object["identities"] as? [[String: Any]])?.first)
        #expect(run.status == 0 && one["name"] as? String == "work" && one["gone"] as? Bool == true, "\(run)")
        #expect((one["done"] as? [String])?.contains("revoked its refresh token at the provider") == true)
        #expect((one["problems"] as? [String])?.isEmpty == true && run.errors.contains("POST \(desk.issuer)/revoke: 200"), "\(run)")
        try await desk.logIn()
        let quiet = try await desk.opk(["logout", "--quiet"])
        #expect(quiet.status == 0 && quiet.output.isEmpty && quiet.errors.isEmpty && desk.keys.isEmpty, "\(quiet)")
    }

    @Test("a key that cannot be removed is no logout: the record stays, and it can be run again")
    func keyStays() async throws {
        let desk = try await RefreshDesk()
        try await desk.logIn()
        let key = try #require(desk.keys.first { $0.hasPrefix(".ssh/") && !$0.contains("-cert") && !$0.hasSuffix(".pub") })
        let path = desk.folder.path + "/" + key
        try FileManager.default.linkItem(atPath: path, toPath: desk.folder.path + "/backup")
        let run = try await desk.opk(["logout", "work"])
        #expect(run.status == 1 && run.errors.contains("the key is still in ") && !run.output.contains("Logged out"), "\(run)")
        #expect(desk.folder.names.contains { $0.hasSuffix("work.json") })
        try FileManager.default.removeItem(atPath: desk.folder.path + "/backup")
        #expect(try await desk.opk(["logout", "work"]).status == 0)
        #expect(desk.keys.isEmpty && !desk.folder.names.contains { $0.hasSuffix("work.json") }, "\(desk.keys)")
    }

    @Test("a login that goes to another file takes the last one's away, unless the person chose that file; then it is said")
    func moved() async throws {
        let desk = try await RefreshDesk()
        try await desk.logIn()
        let first = desk.keys.filter { $0.hasPrefix(".ssh/") }
        try await desk.logIn(["-t", "ed25519"])
        #expect(!first.isEmpty && first.allSatisfy { !desk.keys.contains($0) } && !desk.keys.isEmpty, "\(desk.keys)")
        let chosen = desk.folder.path + "/chosen"
        try await desk.logIn(["-i", chosen])
        let last = try await desk.logIn()
        #expect(last.errors.contains("chosen") && desk.folder.names.contains("chosen"), "\(last)")
    }

    @Test("any alias of the provider names the login")
    func alias() async throws {
        let desk = try await RefreshDesk()
        let configuration = try String(decoding: desk.folder.read(".opk/config.yml"), as: UTF8.self)
        try desk.folder.write(Array(configuration.replacing("alias: work", with: "alias: work office").utf8), to: ".opk/config.yml")
        try await desk.logIn()
        let status = try await desk.opk(["status", "office"])
        #expect(status.status == 0 && status.output.contains("alice@example.com"), "\(status)")
        let run = try await desk.opk(["logout", "office"])
        #expect(run.status == 0 && !desk.keys.contains { $0.hasPrefix(".ssh/") }, "\(run)")
    }

    @Test("--all takes every identity; without it several are not guessed among")
    func all() async throws {
        let desk = try await RefreshDesk()
        try await desk.logIn()
        let other = try await desk.opk([
            "login", "--provider", desk.issuer + ",opk-demo", "--redirect-uri", "http://localhost:0/cb", "--timeout", "60s",
        ])
        #expect(other.status == 0, "\(other)")
        let names = desk.folder.names.filter { $0.hasSuffix(".json") }
        #expect(names.count == 2, "\(names)")
        let unclear = try await desk.opk(["logout"])
        #expect(unclear.status == 64 && unclear.errors.contains("work"), "\(unclear)")
        #expect(desk.folder.names.filter { $0.hasSuffix(".json") } == names)
        let run = try await desk.opk(["logout", "--all"])
        #expect(run.status == 0 && desk.keys.isEmpty, "\(run) \(desk.keys)")
        #expect(try await desk.opk(["status"]).status == 1)
    }

    @Test("a provider that cannot be reached is said with exit status 1, and everything here is gone all the same")
    func unreachable() async throws {
        let desk = try await RefreshDesk()
        try await desk.logIn()
        desk.endProvider()
        let run = try await desk.opk(["logout"])
        #expect(
            run.status == 1 && run.errors.contains("opk: error: work: the provider was not told that the refresh token is over"), "\(run)")
        #expect(run.output.contains("Logged out: "))
        #expect(desk.keys.isEmpty, "\(desk.keys)")
        #expect(try await desk.opk(["logout"]).status == 0)
    }
}
