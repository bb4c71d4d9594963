import Foundation
import Testing

extension RealSSH {
    @Suite("A refreshed login whose key is in ssh-agent alone")
    struct AgentRefreshTests {
        @Test(
            "plain ssh finds the renewed certificate after the first ID token's end, with the agent's key and without any configuration; where a key of the person's has ssh's names, by the options that opk says"
        )
        func renewed() async throws {
            try await withSetupLaptop { laptop in
                try await laptop.configure(hosts: "[]")
                let server = laptop.server
                try await server.configure(
                    providers: ["\(laptop.provider.issuer) opk-demo oidc-refreshed"],
                    authID: ["\(server.alice) alice@example.com \(laptop.provider.issuer)"])
                try await laptop.withAgent(keys: 1) { agent in
                    for hasOtherKeys in [false, true] {
                        if hasOtherKeys {
                            // Somebody's own, where ssh looks by itself.
                            try await laptop.mustRun("opk", ["logout"], adding: agent)
                            for name in ["id_ecdsa", "id_ecdsa_sk"] {
                                try await laptop.mustRun("cp", ["\(laptop.home)/other-0", "\(laptop.home)/.ssh/\(name)"])
                            }
                        }
                        try await laptop.provider.control(#"{"token_lifetime": 10}"#)
                        let login = try await laptop.mustRun(
                            "opk", ["login", "demo", "--store", "agent", "--refresh", "--refresh-token-store", "file"], adding: agent)
                        #expect(try await laptop.whoami("target.opk.test", adding: agent) == server.alice)
                        // Its 10 seconds are over, and the refreshed token has its own.
                        try await Task.sleep(for: .seconds(11))
                        #expect(try await laptop.whoami("target.opk.test", adding: agent) == nil)
                        try await laptop.provider.control(#"{"token_lifetime": 3600}"#)
                        try await laptop.mustRun("opk", ["agent-refresh", "--now"], adding: agent)
                        let files = try FileManager.default.contentsOfDirectory(atPath: laptop.home + "/.ssh")
                        guard hasOtherKeys else {
                            #expect(files.contains("id_ecdsa-cert.pub") && !files.contains("id_ecdsa"), "\(files)")
                            #expect(try await laptop.whoami("target.opk.test", adding: agent) == server.alice)
                            continue
                        }
                        let key = laptop.home + "/.ssh/opk/demo"
                        let options = ["-o", "CertificateFile=\(key)-cert.pub", "-i", key + ".pub"]
                        #expect(login.contains("Connect: ssh " + options.joined(separator: " ") + " "), "\(login)")
                        #expect(try await laptop.whoami("target.opk.test", options, adding: agent) == server.alice)
                    }
                }
            }
        }

        @Test("opk setup ssh --json is one object, --quiet says nothing, and --undo says what stays")
        func output() async throws {
            try await withSetupLaptop { laptop in
                let dry = try Self.object(try await laptop.mustRun("opk", ["setup", "ssh", "--dry-run", "--json"]))
                #expect(dry["result"] as? String == "tried" && laptop.configNow == laptop.config)
                let done = try Self.object(try await laptop.mustRun("opk", ["setup", "ssh", "--yes", "--json"]))
                #expect(done["result"] as? String == "done")
                let files = try #require(done["files"] as? [[String: String]])
                #expect(files.map { $0["change"] } == ["new", "new", "changed"], "\(files)")
                #expect((done["identities"] as? [[String: Any]])?.first?["name"] as? String == "demo")
                let again = try Self.object(try await laptop.mustRun("opk", ["setup", "ssh", "--yes", "--json"]))
                #expect(again["result"] as? String == "nothing-to-do")
                try await laptop.mustRun("opk", ["login", "demo"])
                let undone = try await laptop.mustRun("opk", ["setup", "ssh", "--undo", "--yes"])
                #expect(undone.contains("Keys and certificates stay in ~/.ssh/opk: demo demo-cert.pub demo.pub\n"), "\(undone)")
                let quiet = try await laptop.run("opk", ["setup", "ssh", "--yes", "--quiet"])
                #expect(quiet.status == 0 && quiet.both.isEmpty, "\(quiet)")
            }
        }

        private static func object(_ text: String) throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        }
    }
}
