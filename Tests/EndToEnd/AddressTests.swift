import Foundation
import Testing

extension RealSSH {
    /// `from`, of rows and of requirements: printed for sshd where it does not say the client's address, else checked here.
    @Suite("From where a login may come")
    struct AddressTests {
        private func withAlice(_ body: (Laptop, Server, String, _ configure: ([String], String?) async throws -> Void) async throws -> Void)
            async throws
        {
            try await withDemoProvider { laptop, provider, server in
                let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("alice"))
                try await body(laptop, server, key) { options, config in
                    try await server.configure(
                        providers: ["\(provider.issuer) opk-demo 24h"],
                        authID: options.map { "\(server.alice) alice@example.com \(provider.issuer) \($0)" }, config: config)
                }
            }
        }

        private func requiring(_ account: String, _ blocks: String) -> String {
            "require:\n  - accounts: [\(account)]\n    from: [\(blocks)]\n"
        }

        @Test("without %C a row's from is printed, and sshd holds to it", arguments: OpenSSH.here)
        func printed(version: OpenSSH) async throws {
            try await withAlice { laptop, server, key, configure in
                let daemon = try server.daemon(version)
                try await configure(["from=\"127.0.0.2\""], nil)
                let verdict = try await server.verdict(on: try laptop.certificate(key), as: server.alice, by: version)
                #expect(verdict.lines.count == 1 && verdict.lines[0].contains(",from=\"127.0.0.2\" "), "\(verdict.lines)")
                #expect(try await laptop.whoami(server.alice, on: daemon, keys: [key], from: "127.0.0.2") == server.alice)
                #expect(try await laptop.whoami(server.alice, on: daemon, keys: [key], from: "127.0.0.1") == nil)
                #expect(daemon.log.contains("not from a permitted host"))
                // Of several rows sshd takes the first that fits.
                try await configure(["from=\"127.0.0.2\",command=\"echo two\"", "from=\"127.0.0.1\",command=\"echo one\""], nil)
                #expect(try await laptop.ssh(server.alice, on: daemon, keys: [key], from: "127.0.0.2", ["id"]).output == "two\n")
                #expect(try await laptop.ssh(server.alice, on: daemon, keys: [key], from: "127.0.0.1", ["id"]).output == "one\n")
                #expect(try await laptop.whoami(server.alice, on: daemon, keys: [key], from: "127.0.0.3") == nil)
            }
        }

        @Test("without %C a requirement's from is printed too, and of two the intersection", arguments: OpenSSH.here)
        func requirementPrinted(version: OpenSSH) async throws {
            try await withAlice { laptop, server, key, configure in
                let daemon = try server.daemon(version)
                func admitted() async throws -> [String] {
                    var addresses: [String] = []
                    for address in ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
                    where try await laptop.whoami(server.alice, on: daemon, keys: [key], from: address) == server.alice {
                        addresses.append(address)
                    }
                    return addresses
                }
                try await configure([""], requiring(server.alice, "127.0.0.2/31"))
                #expect(try await admitted() == ["127.0.0.2", "127.0.0.3"])
                try await configure(["from=\"127.0.0.1,127.0.0.2\""], requiring(server.alice, "127.0.0.2/31"))
                #expect(try await admitted() == ["127.0.0.2"])
                // It is no business of other accounts.
                try await configure(["from=\"127.0.0.1,127.0.0.2\""], requiring(server.bob, "127.0.0.2/31"))
                #expect(try await admitted() == ["127.0.0.1", "127.0.0.2"])
                try await configure(["from=\"127.0.0.1\""], requiring(server.alice, "127.0.0.2/31"))
                #expect(try await admitted().isEmpty)
                let verdict = try await server.verdict(on: try laptop.certificate(key), as: server.alice, by: version)
                #expect(verdict.reason == "condition-not-met" && verdict.log.contains("no address in common"), "\(verdict.log)")
            }
        }

        @Test(
            "with %C we refuse who comes from elsewhere, and the log says from where; its third word is the client's address",
            .enabled(if: !OpenSSH.sayingConnection.isEmpty, "no sshd that knows %C is here"), arguments: OpenSSH.sayingConnection)
        func checked(version: OpenSSH) async throws {
            try await withAlice { laptop, server, key, configure in
                let daemon = try await server.connectionDaemon(version)
                func whoami(from address: String, to there: String) async throws -> String? {
                    server.log.clear()
                    return try await laptop.whoami(server.alice, on: daemon, keys: [key], from: address, to: there)
                }
                try await configure(["from=\"127.0.0.2\""], nil)
                #expect(try await whoami(from: "127.0.0.2", to: "127.0.0.3") == server.alice)
                _ = try await server.log.line("admitted", "rows=1")
                // Had it taken the server's address for the client's, this one would be let in and the one before refused.
                #expect(try await whoami(from: "127.0.0.3", to: "127.0.0.1") == nil)
                var line = try await server.log.line("refused")
                #expect(line.contains("reason=condition-not-met") && line.contains("the client is 127.0.0.3"), "\(line)")
                try await configure(["from=\"127.0.0.3\""], nil)
                #expect(try await whoami(from: "127.0.0.2", to: "127.0.0.3") == nil)
                line = try await server.log.line("refused")
                #expect(line.contains("holds only from 127.0.0.3; the client is 127.0.0.2"), "\(line)")
                // sshd itself was given no line to try.
                #expect(!daemon.log.contains("not from a permitted host"))
                // Where nobody else may come in, a row for elsewhere does not stand in the way of the next one.
                try await configure(["from=\"127.0.0.3\"", "from=\"127.0.0.0/30,!127.0.0.3\""], nil)
                #expect(try await whoami(from: "127.0.0.2", to: "127.0.0.3") == server.alice)
                _ = try await server.log.line("admitted", "rows=2")
            }
        }

        @Test(
            "with %C a requirement's from is checked by us, and both lists have to hold",
            .enabled(if: !OpenSSH.sayingConnection.isEmpty, "no sshd that knows %C is here"), arguments: OpenSSH.sayingConnection)
        func requirementChecked(version: OpenSSH) async throws {
            try await withAlice { laptop, server, key, configure in
                let daemon = try await server.connectionDaemon(version)
                func whoami(from address: String) async throws -> String? {
                    server.log.clear()
                    return try await laptop.whoami(server.alice, on: daemon, keys: [key], from: address, to: "127.0.0.3")
                }
                try await configure([""], requiring(server.alice, "127.0.0.2/31"))
                #expect(try await whoami(from: "127.0.0.2") == server.alice)
                #expect(try await whoami(from: "127.0.0.1") == nil)
                let line = try await server.log.line("refused")
                #expect(line.contains("reason=requirement-not-met") && line.contains("the client is 127.0.0.1"), "\(line)")
                try await configure(["from=\"127.0.0.1,127.0.0.2\""], requiring(server.alice, "127.0.0.2/31"))
                #expect(try await whoami(from: "127.0.0.2") == server.alice)
                for address in ["127.0.0.1", "127.0.0.3"] {
                    #expect(try await whoami(from: address) == nil)
                    _ = try await server.log.line("refused", "the client is \(address)")
                }
            }
        }

        @Test(
            "an address of IPv6 is an address",
            .enabled(if: !OpenSSH.sayingConnection.isEmpty && Machine.hasIPv6, "no sshd that knows %C is here, or no ::1"),
            arguments: OpenSSH.sayingConnection)
        func version6(version: OpenSSH) async throws {
            try await withAlice { laptop, server, key, configure in
                func whoami(_ daemon: SSHDaemon, on address: String) async throws -> String? {
                    server.log.clear()
                    return try await laptop.whoami(server.alice, on: daemon, keys: [key], from: address, to: address)
                }
                let saying = try await server.connectionDaemon(version)
                try await configure(["from=\"::/64\""], nil)
                #expect(try await whoami(saying, on: "::1") == server.alice)
                #expect(try await whoami(saying, on: "127.0.0.1") == nil)
                _ = try await server.log.line("refused", "holds only from ::/64; the client is 127.0.0.1")
                try await configure([""], requiring(server.alice, "127.0.0.0/8, \"2001:db8::/32\""))
                #expect(try await whoami(saying, on: "127.0.0.1") == server.alice)
                #expect(try await whoami(saying, on: "::1") == nil)
                _ = try await server.log.line("refused", "reason=requirement-not-met", "the client is ::1")
            }
        }

        @Test(
            "where sshd does not know %C, a configuration with it lets nobody in, whatever policy says",
            .enabled(if: !OpenSSH.notSayingConnection.isEmpty, "this machine's sshd knows %C"), arguments: OpenSSH.notSayingConnection)
        func unknown(version: OpenSSH) async throws {
            try await withAlice { laptop, server, key, configure in
                try await configure([""], nil)
                #expect(try await laptop.whoami(server.alice, on: server.daemon(version), keys: [key]) == server.alice)
                let daemon = try await server.connectionDaemon(version)
                let outcome = try await laptop.ssh(server.alice, on: daemon, keys: [key], ["id"])
                #expect(outcome.status == 255 && outcome.output.isEmpty, "\(outcome.both)")
            }
        }
    }
}
