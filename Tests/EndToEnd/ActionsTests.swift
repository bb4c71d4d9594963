import Foundation
import Testing

extension RealSSH {
    /// Jobs of GitHub's, under GitHub's own names.
    @Suite(
        "From a job of GitHub Actions",
        .enabled(if: Machine.path("python3") != nil && Machine.path("openssl") != nil, "no python3 or openssl"))
    struct ActionsTests {
        private func policy(_ server: Server) -> (providers: [String], authID: [String]) {
            (["\(ActionsFront.issuer) github 1h"], ["\(server.alice) \(ActionsFront.subject) \(ActionsFront.issuer)"])
        }

        /// `program login github` as a step of the job; the path of the key.
        private func logIn(_ laptop: Laptop, _ front: ActionsFront, _ program: String, _ arguments: [String]) async throws -> String {
            let environment = Command.environment(home: laptop.home.path, adding: front.way.merging(ActionsFront.job) { one, _ in one })
            let key = laptop.path("key")
            let outcome = try await Command.run(program, ["login"] + arguments + ["-i", key], environment: environment)
            guard outcome.status == 0 else { throw HarnessError("login: \(outcome.both)") }
            #expect(!outcome.both.contains("runner-token") && !outcome.both.contains("eyJ"))
            return key
        }

        private func opk() throws -> String {
            guard let programs = Machine.programs else { throw HarnessError("no programs") }
            return programs.appendingPathComponent("opk").path
        }

        @Test("opk login without a word, ssh, and one is in; an account that no row names stays shut", arguments: ["ecdsa", "ed25519"])
        func ours(kind: String) async throws {
            try await withActions { laptop, front, server in
                let policy = policy(server)
                try await server.configure(providers: policy.providers, authID: policy.authID, config: front.variables)
                let key = try await logIn(laptop, front, try opk(), ["-t", kind])
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [key]) == server.alice)
                #expect(try await laptop.whoami(server.bob, on: server.daemon, keys: [key]) == nil)
            }
        }

        /// OpenPubkey's change 379: until then a proof said nothing about its own header, so that whoever saw a GitLab job's token could put
        /// the commitment to a key of their own there. Debian's opkssh 0.16 is from before, and takes no others.
        @Test(
            "a proof that leaves its own header open, as Debian's opkssh makes it, is refused",
            .enabled(if: Machine.hasOpkssh, Machine.noOpkssh))
        func openHeader() async throws {
            try await withActions { laptop, front, server in
                let policy = policy(server)
                try await server.configure(providers: policy.providers, authID: policy.authID, config: front.variables)
                let key = try await logIn(laptop, front, Machine.opkssh.path, ["github"])
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [key]) == nil)
                #expect(try await server.verdict(on: try laptop.certificate(key), as: server.alice).reason == "provider-signature")
            }
        }
    }
}
