import Foundation
import Testing

extension RealSSH {
    @Suite("opk setup ssh: ssh logs in by itself")
    struct SetupSSHTests {
        @Test("ssh HOST, and one is in: the first time by way of the browser, then without")
        func onDemand() async throws {
            try await withSetupLaptop { laptop in
                try await laptop.setUp()
                let first = try await laptop.run("ssh", ["target.opk.test", "id", "-un"])
                #expect(first.status == 0, "\(first.errors)")
                // ssh's own standard output carries the other side's and nothing else.
                #expect(first.output == "\(laptop.server.alice)\n")
                #expect(first.errors.contains("opk: a login as demo is needed."))
                #expect(laptop.pages == 1)
                let second = try await laptop.run("ssh", ["target.opk.test", "id", "-un"])
                #expect(second.status == 0, "\(second.errors)")
                #expect(!second.errors.contains("opk"))
                #expect(laptop.pages == 1)
            }
        }

        @Test("a name that stands for one of the hosts works as well; what the patterns leave out asks nobody", arguments: [true, false])
        func names(fits: Bool) async throws {
            try await withSetupLaptop { laptop in
                try await laptop.setUp()
                for host in fits ? ["stands-for-it"] : ["not.opk.test", "other"] {
                    #expect(try await laptop.whoami(host) == (fits ? laptop.server.alice : nil), "\(host)")
                }
                #expect(laptop.pages == (fits ? 1 : 0))
            }
        }

        @Test("six other keys in the agent burn no attempt: one key is offered, the certificate, where sshd hangs up after two")
        func otherKeys() async throws {
            try await withSetupLaptop { laptop in
                try await laptop.withAgent(keys: 6) { agent in
                    try await laptop.mustRun("opk", ["login", "--if-needed", "demo", "-i", laptop.home + "/.ssh/id_ecdsa"])
                    // Without us ssh shows its agent's keys first, and is out.
                    let without = try await laptop.run("ssh", ["strict.opk.test", "id", "-un"], adding: agent)
                    #expect(without.errors.contains("Too many authentication failures"), "\(without.errors)")
                    try await laptop.setUp()
                    let with = try await laptop.run("ssh", ["-v", "strict.opk.test", "id", "-un"], adding: agent)
                    #expect(with.status == 0, "\(with.errors)")
                    let offers = with.errors.split(whereSeparator: \.isNewline).filter { $0.contains("Offering public key:") }
                    #expect(offers.count == 1)
                    #expect(offers.first?.contains("/.ssh/opk/demo-cert.pub ECDSA-CERT") == true, "\(offers)")
                }
            }
        }

        @Test("store: agent. The private key never lies in a file, one key is offered, and no login is needed while the agent has it")
        func agentAlone() async throws {
            try await withSetupLaptop { laptop in
                try await laptop.configure(store: "agent")
                try await laptop.withAgent(keys: 6) { agent in
                    try await laptop.setUp()
                    for _ in 0..<2 {
                        let login = try await laptop.run("ssh", ["-v", "strict.opk.test", "id", "-un"], adding: agent)
                        #expect(login.status == 0, "\(login.errors)")
                        #expect(login.errors.components(separatedBy: "Offering public key:").count == 2, "\(login.errors)")
                        #expect(laptop.pages == 1)
                        #expect(!FileManager.default.fileExists(atPath: laptop.home + "/.ssh/opk/demo"))
                    }
                    // Once the agent has forgotten it the certificate is of no use, and a login is needed.
                    try await laptop.mustRun("ssh-add", ["-q", "-D"], adding: agent)
                    #expect(try await laptop.whoami("target.opk.test", adding: agent) == laptop.server.alice)
                    #expect(laptop.pages == 2)
                }
            }
        }

        @Test("five at once are one login, and all of them get in")
        func parallel() async throws {
            try await withSetupLaptop { laptop in
                try await laptop.setUp()
                let answers = try await withThrowingTaskGroup(of: String?.self) { group in
                    for _ in 0..<5 { group.addTask { try await laptop.whoami("target.opk.test") } }
                    return try await group.reduce(into: [String?]()) { $0.append($1) }
                }
                #expect(answers == Array(repeating: laptop.server.alice, count: 5))
                #expect(laptop.pages == 1)
                #expect(try await laptop.provider.requests()["/token"] == 1)
            }
        }

        @Test("where the login is refused, ssh goes on with the person's own keys")
        func refused() async throws {
            try await withSetupLaptop { laptop in
                try await laptop.setUp()
                try await laptop.provider.control(#"{"auto_login": "refuse"}"#)
                try await laptop.mustRun("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", laptop.home + "/.ssh/id_ed25519"])
                let folder = laptop.server.folder.appendingPathComponent("home/\(laptop.server.alice)/.ssh").path
                try await Command.mustRun("install", ["-d", "-m", "0700", "-o", laptop.server.alice, folder])
                try await Command.mustRun(
                    "install",
                    ["-m", "0600", "-o", laptop.server.alice, laptop.home + "/.ssh/id_ed25519.pub", folder + "/authorized_keys"])
                let outcome = try await laptop.run("ssh", ["target.opk.test", "id", "-un"])
                try FileManager.default.removeItem(atPath: folder)
                #expect(outcome.status == 0, "\(outcome.errors)")
                #expect(outcome.errors.contains("opk: error: the provider said no"))
                // Soon after, nobody is asked again behind a person's back.
                let again = try await laptop.run("ssh", ["target.opk.test", "id", "-un"])
                #expect(again.errors.contains("opk: hint: run `opk login demo`"), "\(again.errors)")
                #expect(laptop.pages == 1)
            }
        }

        @Test("with neither terminal nor browser nobody waits: one line says what to run")
        func nobody() async throws {
            try await withSetupLaptop { laptop in
                try await laptop.setUp()
                let start = ContinuousClock.now
                let outcome = try await laptop.run("ssh", ["target.opk.test", "true"], browser: false)
                #expect(ContinuousClock.now - start < .seconds(10))
                #expect(outcome.status == 255)
                #expect(outcome.errors.contains("opk: error: a login as demo is needed, and there is neither a terminal nor a display"))
                #expect(outcome.errors.contains("opk: hint: run `opk login demo`"))
            }
        }
    }
}
