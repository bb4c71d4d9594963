import Foundation
import Testing

extension RealSSH {
    @Suite("~/.opk/config.yml between opk and Debian's own opkssh", .enabled(if: Machine.hasOpkssh, Machine.noOpkssh))
    struct ClientConfigurationTests {
        private func opk(_ arguments: [String], home: String) async throws -> String {
            guard let opk = Machine.programs?.appendingPathComponent("opk").path else { throw HarnessError("no opk") }
            return try await Command.mustRun(opk, arguments, environment: Command.environment(home: home))
        }

        private func opkssh(_ arguments: [String], home: String) async throws -> String {
            try await Command.mustRun(Machine.opkssh.path, arguments, environment: Command.environment(home: home))
        }

        @Test("the file that opkssh writes is opk's as it is: the same aliases and issuers, and the page of providers as the default")
        func theirs() async throws {
            try await withLaptop { laptop, _ in
                _ = try await opkssh(["login", "--create-config"], home: laptop.home.path)
                let before = try Data(contentsOf: laptop.home.appendingPathComponent(".opk/config.yml"))
                let ours = try await opk(["providers", "list"], home: laptop.home.path)
                let theirs = try await opkssh(["client", "provider", "list"], home: laptop.home.path)
                for line in theirs.split(separator: "\n") {
                    let words = line.split(separator: " ")
                    #expect(
                        ours.split(separator: "\n").contains { row in
                            words.allSatisfy { row.split(separator: " ").contains($0) } && row.contains("config.yml:")
                        }, "\(line)")
                }
                #expect(ours.contains("lets you choose (\(laptop.home.path)/.opk/config.yml:2)"))
                #expect(try Data(contentsOf: laptop.home.appendingPathComponent(".opk/config.yml")) == before)
                // And it can be added to, after which opkssh reads it still.
                _ = try await opk(["providers", "add", "work", "https://idp.example.com", "opk"], home: laptop.home.path)
                #expect(
                    try await opkssh(["client", "provider", "list"], home: laptop.home.path).contains("work      https://idp.example.com"))
            }
        }

        @Test("the file that opk writes is opkssh's, with opk's own keys in it")
        func ours() async throws {
            try await withLaptop { laptop, _ in
                _ = try await opk(
                    [
                        "providers", "add", "work w", "https://idp.example.com", "opk", "--hosts", "*.example.com", "--store", "both",
                        "--key-type", "ed25519", "--valid-for", "8h", "--refresh-token", "keyring", "--default",
                    ], home: laptop.home.path)
                let theirs = try await opkssh(["client", "provider", "list"], home: laptop.home.path)
                let rows = theirs.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
                #expect(rows.suffix(2) == ["work https://idp.example.com", "w https://idp.example.com"] && rows.count == 7, "\(theirs)")
            }
        }
    }
}
