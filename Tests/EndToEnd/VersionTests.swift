import Foundation
import Testing

extension RealSSH {
    /// What differs from one sshd to the next, or must not. The other suites, too, log in to each where it matters.
    @Suite("With each version of OpenSSH")
    struct VersionTests {
        @Test("the sshd of this machine answers")
        func machine() async throws {
            let version = try await answering(.machine)
            let package = try await Command.run(try #require(Machine.path("ssh")), ["-V"]).both
            #expect(OpenSSH.Version(in: package) == version)
        }

        @Test("the sshd of Debian trixie answers, and is 10.0", .enabled(if: OpenSSH.trixie.isHere, OpenSSH.trixie.notHere))
        func trixie() async throws {
            #expect(try await answering(.trixie) == OpenSSH.Version(10, 0))
        }

        @Test("the sshd of Debian sid answers, and is 10.6 or later", .enabled(if: OpenSSH.sid.isHere, OpenSSH.sid.notHere))
        func sid() async throws {
            #expect(try await answering(.sid) >= OpenSSH.Version(10, 6))
        }

        private func answering(_ release: OpenSSH) async throws -> OpenSSH.Version {
            let version = try await Server.running().daemon(release).version()
            print("seen: OpenSSH \(version), \(release.testDescription)")
            return version
        }

        @Test("the drop-in for sshd is accepted, and has the word", arguments: OpenSSH.here)
        func dropIn(release: OpenSSH) async throws {
            let server = try Server.running()
            let folder = server.folder.appendingPathComponent("drop-in-\(release)")
            try await Command.mustRun("install", ["-d", "-m", "0755", folder.path])
            let shipped = Machine.packageRoot.appendingPathComponent("sshd_config.d/60-opk.conf").path
            try await Command.mustRun("install", ["-m", "0644", shipped, folder.path])
            let hostKey = folder.appendingPathComponent("host_key").path
            try await Command.mustRun("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", hostKey])
            let file = folder.appendingPathComponent("sshd_config").path
            try "Include \(folder.path)/60-*.conf\nHostKey \(hostKey)\n".write(toFile: file, atomically: true, encoding: .utf8)
            let sshd = try server.call(release, ["/usr/sbin/sshd"])
            let test = try await Command.run(sshd[0], sshd.dropFirst() + ["-t", "-f", file])
            #expect(test.status == 0)
            #expect(test.both.isEmpty)
            let effective = try await Command.mustRun(sshd[0], sshd.dropFirst() + ["-T", "-f", file]).split(separator: "\n")
                // Later versions write the keyword as the manual does.
                .map { line in line.prefix { $0 != " " }.lowercased() + line.drop { $0 != " " } }
            #expect(effective.contains("authorizedkeyscommand /usr/local/libexec/opk/opk-verify -- %u %k %t"))
            #expect(effective.contains("authorizedkeyscommanduser opksshuser"))
        }

        @Test("a certificate for root and alice admits alice, and root only where a row says root (V53)", arguments: OpenSSH.here)
        func rootAndAlice(release: OpenSSH) async throws {
            try await withDemoProvider { laptop, provider, server in
                let providers = ["\(provider.issuer) opk-demo 24h"]
                let alice = "\(server.alice) alice@example.com \(provider.issuer)"
                try await server.configure(providers: providers, authID: [alice])
                let daemon = try server.daemon(release)
                let certificate = try laptop.certificate(
                    try await laptop.logIn(provider.clientSpecification, visit: provider.press("alice")))
                let both = try await laptop.signAgain(certificate, for: "root,\(server.alice)")
                #expect(try await laptop.whoami(server.alice, on: daemon, keys: [both]) == server.alice)
                #expect(try await laptop.whoami("root", on: daemon, keys: [both]) == nil)
                #expect(try await server.verdict(on: try laptop.certificate(both), as: "root", by: release).reason == "no-row-admits")
                // The line names the account that asked, and never another one of the certificate.
                let lines = try await server.verdict(on: try laptop.certificate(both), as: server.alice, by: release).lines
                #expect(lines.count == 1)
                #expect(lines.first?.hasPrefix("cert-authority,principals=\"\(server.alice)\" ") == true)

                try await server.configure(providers: providers, authID: [alice, "root alice@example.com \(provider.issuer)"])
                // This sshd does let root in, so it was we who refused.
                #expect(try await laptop.whoami("root", on: daemon, keys: [both]) == "root")
                let one = try await laptop.signAgain(certificate, for: server.alice)
                #expect(try await laptop.whoami(server.alice, on: daemon, keys: [one]) == server.alice)
                #expect(try await laptop.whoami("root", on: daemon, keys: [one]) == nil)
            }
        }

        @Test(
            "in every version a line with principals for alice lets her certificate in as root: why ours names nobody but who asked (V53)",
            arguments: OpenSSH.here)
        func danger(release: OpenSSH) async throws {
            try await withLaptop { laptop, server in
                let key = try await laptop.plainKey()
                try await Command.mustRun("ssh-keygen", ["-q", "-s", key, "-I", "alice", "-n", server.alice, key + ".pub"])
                let authority = try String(contentsOfFile: key + ".pub", encoding: .utf8)
                let careless = "#!/bin/sh\necho 'cert-authority,principals=\"\(server.alice)\" \(authority)'\n"
                try await Command.mustRun("tee", [server.program("careless")], input: careless)
                try await Command.mustRun("chmod", ["0755", server.program("careless")])
                let daemon = try await server.startDaemon(release, "sshd-\(release)-careless", command: server.command("careless"))
                let who = try await laptop.whoami("root", on: daemon, keys: [key])
                await daemon.stop()
                #expect(who == "root")
            }
        }

        @Test("a certificate without principals is admitted by versions before 10.3 and refused by later ones", arguments: OpenSSH.here)
        func withoutPrincipals(release: OpenSSH) async throws {
            try await withDemoProvider { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo 24h"], authID: ["\(server.alice) alice@example.com \(provider.issuer)"])
                let daemon = try server.daemon(release)
                let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("alice"))
                let bare = try await laptop.signAgain(try laptop.certificate(key), for: nil)
                let verdict = try await server.verdict(on: try laptop.certificate(bare), as: server.alice, by: release)
                #expect(verdict.status == 0, "\(verdict.log)")
                #expect(verdict.lines.count == 1)
                #expect(verdict.lines.first?.contains("principals=") == false)
                let admitted = try await daemon.version() < OpenSSH.Version(10, 3)
                #expect(try await laptop.whoami(server.alice, on: daemon, keys: [bare]) == (admitted ? server.alice : nil))
                #expect(try await laptop.whoami(server.bob, on: daemon, keys: [bare]) == nil)
            }
        }

        @Test(
            "%C is server address, server port, client address, client port, and does not disturb; where it is unknown no login works",
            arguments: OpenSSH.here)
        func connection(release: OpenSSH) async throws {
            try await withDemoProvider { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo 24h"], authID: ["\(server.alice) alice@example.com \(provider.issuer)"])
                let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("alice"))
                let heard = server.folder.appendingPathComponent("home/\(server.commandUser)/heard").path
                try? FileManager.default.removeItem(atPath: heard)
                let recorder = """
                    #!/bin/sh
                    for word; do :; done
                    printf '%s\\n' "$word" > \(heard)
                    exec \(server.program("opk-verify")) "$@"

                    """
                try await Command.mustRun("tee", [server.program("recorder")], input: recorder)
                try await Command.mustRun("chmod", ["0755", server.program("recorder")])
                // This starts: `sshd -t` does not notice a word that it does not know.
                let daemon = try await server.startDaemon(
                    release, "sshd-\(release)-connection", command: server.command("recorder", words: "%u %k %t %C"))
                let outcome = try await laptop.ssh(
                    server.alice, on: daemon, keys: [key], from: "127.0.0.2", ["echo", "$SSH_CONNECTION"])
                let version = try await server.daemon(release).version()
                await daemon.stop()
                guard version >= OpenSSH.Version(10, 0) else {
                    if version <= OpenSSH.Version(9, 2) {
                        #expect(outcome.status == 255)
                        #expect(!FileManager.default.fileExists(atPath: heard))
                    }
                    return
                }
                #expect(outcome.status == 0, "\(outcome.both)")
                // sshd(8): client address, client port, server address, server port.
                let connection = outcome.output.split(whereSeparator: \.isWhitespace)
                try #require(connection.count == 4)
                #expect(connection[0] == "127.0.0.2")
                #expect(connection[2] == "127.0.0.1")
                let words = try String(contentsOfFile: heard, encoding: .utf8).split(whereSeparator: \.isWhitespace)
                print("%C of OpenSSH \(version): \(words.joined(separator: " "))")
                #expect(words == [connection[2], connection[3], connection[0], connection[1]])
            }
        }
    }
}
