import Foundation
import Testing

extension RealSSH {
    /// Another AuthorizedKeysCommand was there first: a stand-in for each of those that many machines have, called as that one's package has it called.
    @Suite("opk setup server where another program is asked", .enabled(if: Machine.canCopy, Machine.noCopy))
    struct SetupServerChainTests {
        struct Other: CustomStringConvertible, Sendable {
            let description: String
            let path: String
            let words: String
            let user: String
            /// The stand-in, of which $KEYS is a file with alice's key.
            let script: String
        }

        private static let others = [
            // sssd: sss_ssh_authorizedkeys(1) tells everybody's keys to everybody.
            Other(
                description: "SSSD", path: "/usr/bin/sss_ssh_authorizedkeys", words: "", user: "nobody",
                script: "[ \"$1\" = alice ] && [ $# = 1 ] && cat $KEYS; exit 0"),
            // ec2-instance-connect: eic_run_authorized_keys wants the account and the key's fingerprint, and a user of its own by habit.
            Other(
                description: "EC2 Instance Connect", path: "/opt/aws/bin/eic_run_authorized_keys", words: " %u %f",
                user: "ec2-instance-connect",
                script: "[ \"$1\" = alice ] && [ \"$2\" = \"$(ssh-keygen -lf $KEYS | cut -d ' ' -f 2)\" ] && cat $KEYS; exit 0"),
            // google-compute-engine-oslogin: google_authorized_keys wants the account alone, and is run as root.
            Other(
                description: "Google", path: "/usr/bin/google_authorized_keys", words: "", user: "root",
                script: "[ \"$1\" = alice ] && cat $KEYS; exit 0"),
        ]

        @Test("its keys come in through opk as they did before, certificates by opk; and undone, it is asked as before", arguments: others)
        func chained(other: Other) async throws {
            try await withDemoProvider { laptop, provider, _ in
                let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("alice"))
                let (plain, stranger) = (try await laptop.plainKey(), try await laptop.plainKey("stranger"))
                try await withSetupMachine { machine in
                    try await install(other, on: machine, keys: plain + ".pub")
                    #expect(try await laptop.whoami("alice", on: machine.daemon, keys: [plain]) == "alice")
                    let before = try await machine.inventory()
                    let set = try await machine.setUp([
                        "--provider", provider.clientSpecification, "--allow", "alice@example.com=alice",
                    ])
                    #expect(set.status == 0 && set.output.contains("answers opk-verify as it answers sshd"), "\(set)")
                    #expect(try await machine.asked().contains("--then \(other.path) --then-word %u"))
                    #expect(try await laptop.whoami("alice", on: machine.daemon, keys: [plain]) == "alice")
                    #expect(try await laptop.whoami("alice", on: machine.daemon, keys: [key]) == "alice")
                    #expect(try await laptop.whoami("alice", on: machine.daemon, keys: [stranger]) == nil)
                    #expect(try await laptop.whoami("bob", on: machine.daemon, keys: [plain]) == nil)
                    #expect(try await machine.setUp(["--undo"]).status == 0)
                    #expect(try await machine.inventory() == before)
                    #expect(try await laptop.whoami("alice", on: machine.daemon, keys: [plain]) == "alice")
                }
            }
        }

        private func install(_ other: Other, on machine: SetupMachine, keys: String) async throws {
            let key = try String(contentsOfFile: keys, encoding: .utf8)
            try await machine.write(key, to: "/etc/test_keys")
            try await machine.shell(
                "id \"$1\" >/dev/null 2>&1 || useradd --system --no-create-home \"$1\"; mkdir -p \"$(dirname \"$2\")\"",
                [other.user, other.path])
            let script = "#!/bin/sh\n" + other.script.replacingOccurrences(of: "$KEYS", with: "/etc/test_keys") + "\n"
            try await machine.write(script, to: other.path, mode: "0755")
            try await machine.write(
                "AuthorizedKeysCommand \(other.path)\(other.words)\nAuthorizedKeysCommandUser \(other.user)\n",
                to: "/etc/ssh/sshd_config.d/50-other.conf")
            try await machine.startSSHD()
        }

        @Test("one that answers nobody but root is found out before anything is written, and left out only where that is said")
        func onlyRoot() async throws {
            try await withSetupMachine { machine in
                let other = Other(
                    description: "", path: "/usr/bin/theirs", words: " %u", user: "root", script: "[ $(id -u) = 0 ] && cat $KEYS")
                try await install(other, on: machine, keys: "/etc/hostname")
                let before = try await machine.inventory()
                let words = ["--provider", "google", "--allow", "alice@example.com=alice"]
                let refused = try await machine.setUp(words)
                #expect(refused.status == 1 && refused.errors.contains("answers otherwise as opksshuser than as root"), "\(refused)")
                #expect(try await machine.inventory() == before)
                let set = try await machine.setUp(words + ["--drop-other"])
                #expect(set.status == 0 && set.output.contains("is not asked any more"), "\(set)")
                #expect(try await !machine.asked().contains("--then"))
            }
        }

        @Test("a program that others could have written is not run, whatever sshd's line says, and its log says why")
        func unsafe() async throws {
            try await withSetupMachine { machine in
                try await machine.write("#!/bin/sh\necho line\n", to: "/usr/bin/theirs", mode: "0755")
                let call = [
                    "setpriv", "--reuid=opksshuser", "--regid=opksshuser", "--clear-groups", "--", "/usr/local/libexec/opk/opk-verify",
                    "--then",
                    "/usr/bin/theirs", "--then-word", "--version", "--", "alice",
                ]
                let plain = call + ["AAAAC3NzaC1lZDI1NTE5AAAAIA==", "ssh-ed25519"]
                #expect(try await machine.run(plain).output == "line\n")
                // A certificate is never another's to admit.
                let certificate = try await machine.run(call + ["AAAA", "ssh-ed25519-cert-v01@openssh.com"])
                #expect(certificate.output.isEmpty && certificate.status == 1, "\(certificate)")
                try await machine.shell("chmod o+w /usr/bin/theirs")
                let refused = try await machine.run(plain)
                #expect(refused.output.isEmpty && refused.status == 2, "\(refused)")
                try await machine.shell("chmod 0755 /usr/bin/theirs; printf '#!/bin/sh\\nenv | sort; exit 7\\n' > /usr/bin/theirs")
                let environment = try await machine.run(plain)
                #expect(environment.status == 7, "its status is ours")
                let names = environment.output.split(separator: "\n").compactMap { $0.split(separator: "=").first.map(String.init) }
                #expect(Set(names).isSubset(of: ["HOME", "LOGNAME", "PATH", "PWD", "USER"]), "\(names)")
            }
        }
    }
}
