import Foundation
import Testing

extension RealSSH {
    @Suite("What a row and config.yml ask for holds at each login")
    struct ConditionTests {
        /// A moment so many seconds from now, as a row has it.
        private func time(in seconds: Double) -> String {
            let format = ISO8601DateFormatter()
            return format.string(from: Date(timeIntervalSinceNow: seconds))
        }

        @Test("a row that expires between two logins admits the first and refuses the second; one that starts then does the reverse")
        func expires() async throws {
            try await withDemoProvider { laptop, provider, server in
                let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("alice"))
                let certificate = try laptop.certificate(key)
                // How long the first logins take is the machine's business: where the time was too short for them, again with more.
                var isIn = false
                for seconds in [4.0, 15, 60] where !isIn {
                    let turn = time(in: seconds)
                    try await server.configure(
                        providers: ["\(provider.issuer) opk-demo 24h"],
                        authID: [
                            "\(server.alice) alice@example.com \(provider.issuer) expires=\"\(turn)\"",
                            "\(server.bob) alice@example.com \(provider.issuer) starts=\"\(turn)\"",
                        ])
                    let early = try await server.verdict(on: certificate, as: server.bob)
                    isIn = true
                    for version in OpenSSH.here {
                        let who = try await laptop.whoami(server.alice, on: server.daemon(version), keys: [key])
                        isIn = isIn && who == server.alice
                    }
                    if isIn {
                        #expect(early.reason == "condition-not-met" && early.log.contains("starts in "), "\(early.log)")
                    }
                }
                try #require(isIn, "no login before the row expired")
                var late = try await server.verdict(on: certificate, as: server.alice)
                for _ in 0..<600 where late.status == 0 {
                    try await Task.sleep(for: .milliseconds(200))
                    late = try await server.verdict(on: certificate, as: server.alice)
                }
                #expect(late.reason == "condition-not-met" && late.log.contains("auth_id, line 1: expired "), "\(late.log)")
                for version in OpenSSH.here {
                    #expect(try await laptop.whoami(server.alice, on: server.daemon(version), keys: [key]) == nil)
                    #expect(try await laptop.whoami(server.bob, on: server.daemon(version), keys: [key]) == server.bob)
                }
            }
        }

        @Test(
            "what a requirement asks for binds every row but those and whom it excepts, and a broken glass is in the log",
            arguments: OpenSSH.here)
        func requirements(version: OpenSSH) async throws {
            try await withDemoProvider { laptop, provider, server in
                let config = """
                    require:
                      - accounts: [\(server.alice)]
                        groups: [production-access]
                        except_groups: [ops]
                      - accounts: [\(server.bob)]
                        groups: [production-access]
                        except_break_glass: true

                    """
                let rows = ["\(server.alice) oidc:groups:dev \(provider.issuer)", "\(server.bob) bob@example.com \(provider.issuer)"]
                let providers = ["\(provider.issuer) opk-demo 24h"]
                try await server.configure(providers: providers, authID: rows, config: config)
                let alice = try await laptop.logIn(provider.clientSpecification, key: "alice", visit: provider.press("alice"))
                let bob = try await laptop.logIn(provider.clientSpecification, key: "bob", visit: provider.press("bob"))
                let daemon = try server.daemon(version)
                // Both are in the group that the row names; alice is in the excepted one as well.
                #expect(try await laptop.whoami(server.alice, on: daemon, keys: [alice]) == server.alice)
                #expect(try await laptop.whoami(server.alice, on: daemon, keys: [bob]) == nil)
                var verdict = try await server.verdict(on: try laptop.certificate(bob), as: server.alice, by: version)
                #expect(verdict.reason == "requirement-not-met" && verdict.log.contains("wants group production-access"), "\(verdict.log)")

                #expect(try await laptop.whoami(server.bob, on: daemon, keys: [bob]) == nil)
                let glass = "\(server.bob) bob@example.com \(provider.issuer) break-glass,reason=\"INC-7: the database is down\""
                try await server.configure(providers: providers, authID: rows + [glass], config: config)
                server.log.clear()
                #expect(try await laptop.whoami(server.bob, on: daemon, keys: [bob]) == server.bob)
                verdict = try await server.verdict(on: try laptop.certificate(bob), as: server.bob, by: version)
                #expect(verdict.status == 0)
                let log = version == .machine ? verdict.log : try await server.log.line("admitted", server.bob)
                #expect(log.contains("rows=3 grant-reason=\"INC-7: the database is down\" break-glass"), "\(log)")
                // The exception is that rule's alone.
                try await server.configure(
                    providers: providers, authID: ["\(server.alice) bob@example.com \(provider.issuer) break-glass"], config: config)
                #expect(try await laptop.whoami(server.alice, on: daemon, keys: [bob]) == nil)
            }
        }

        @Test(
            "one row for all of a group lets each in as the account that a claim names, and nobody as root or a system's account",
            arguments: OpenSSH.here)
        func accountClaim(version: OpenSSH) async throws {
            let names = "\"alice\": {\"preferred_username\": \"\(Accounts.name("alice"))\"}, \"bob\": {\"preferred_username\": \"root\"}"
            try await withDemoProvider(["--control", "{\"claims\": {\(names)}}"]) { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo 24h"],
                    authID: ["* oidc:groups:dev \(provider.issuer) account-claim=\"preferred_username\""])
                let daemon = try server.daemon(version)
                let alice = try await laptop.logIn(provider.clientSpecification, key: "alice", visit: provider.press("alice"))
                #expect(try await laptop.whoami(server.alice, on: daemon, keys: [alice]) == server.alice)
                for account in [server.bob, "root"] { #expect(try await laptop.whoami(account, on: daemon, keys: [alice]) == nil) }
                let other = try await server.verdict(on: try laptop.certificate(alice), as: server.bob, by: version)
                #expect(other.reason == "condition-not-met" && other.log.contains("that is \(server.alice)"), "\(other.log)")

                let root = try await laptop.logIn(provider.clientSpecification, key: "root", visit: provider.press("bob"))
                #expect(try await laptop.whoami("root", on: daemon, keys: [root]) == nil)
                let verdict = try await server.verdict(on: try laptop.certificate(root), as: "root", by: version)
                #expect(
                    verdict.reason == "condition-not-met" && verdict.log.contains("never admits to an account below 1000"), "\(verdict.log)"
                )
                try await provider.control(#"{"claims": {"bob": {"preferred_username": "daemon"}}}"#)
                let system = try await laptop.logIn(provider.clientSpecification, key: "system", visit: provider.press("bob"))
                #expect(try await laptop.whoami("daemon", on: daemon, keys: [system]) == nil)
                let daemons = try await server.verdict(on: try laptop.certificate(system), as: "daemon", by: version)
                #expect(daemons.log.contains("this one is 1)"), "\(daemons.log)")
                // It was the row's doing: by its name root is admitted.
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo 24h"], authID: ["root oidc:groups:dev \(provider.issuer)"])
                #expect(try await laptop.whoami("root", on: daemon, keys: [root]) == "root")
            }
        }
    }
}
