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
        #expect(named.status == 1 && named.errors.hasPrefix("opk: error: "), "\(named)")
    }

    @Test("a good identity is 0, a damaged one 2, an expired one 1; in words, as JSON and in one line; the provider is never asked")
    func states() async throws {
        let desk = try await RefreshDesk()
        try await desk.logIn()
        desk.endProvider()
        let good = try await desk.opk(["status"])
        #expect(good.status == 0 && good.output.hasPrefix("work: alice@example.com at \(desk.issuer)\n  good until "), "\(good)")
        #expect(good.output.contains("  refreshed by itself (refresh token: file)\n"))
        #expect(try await desk.opk(["status", "work"]).output == good.output)
        let short = try await desk.opk(["status", "--short"])
        #expect(short.status == 0 && short.output.wholeMatch(of: /work \d[^\n]*\n/) != nil, "\(short)")
        let json = try await desk.opk(["status", "--json"])
        let identity = try #require(try document(json).first)
        #expect(identity["name"] as? String == "work" && identity["state"] as? String == "good")
        #expect(identity["who"] as? String == "alice@example.com" && identity["issuer"] as? String == desk.issuer)
        #expect(identity["store"] as? String == "file" && identity["refresh_token"] as? String == "file")
        #expect(identity["in_agent"] is NSNull && identity["ends"] as? Int != nil)
        #expect(!(good.output + json.output).contains("eyJ"))
        try FileManager.default.removeItem(atPath: desk.folder.path + "/.ssh/id_ecdsa")
        let damaged = try await desk.opk(["status", "--json"])
        #expect(try damaged.status == 2 && document(damaged).first?["state"] as? String == "damaged", "\(damaged)")
        #expect(try await desk.opk(["status", "--short"]).output == "work damaged\n")
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
