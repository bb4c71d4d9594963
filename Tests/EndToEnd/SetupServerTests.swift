import Foundation
import TestSupport
import Testing

extension RealSSH {
    /// `opk setup server` on copies of this machine, with sshd as a distribution starts it.
    @Suite("opk setup server", .enabled(if: Machine.canCopy, Machine.noCopy))
    struct SetupServerTests {
        private static let row = ["--provider", "https://idp.example.com,opk,8h", "--allow", "alice@example.com=alice"]

        @Test(
            "from nothing to a login in one command; twice is once; and undone, every byte is what it was",
            arguments: [false, true])
        func fromNothing(hasDropIn: Bool) async throws {
            try await withDemoProvider { laptop, provider, _ in
                let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("alice"))
                try await withSetupMachine(hasDropIn: hasDropIn) { machine in
                    let before = try await machine.inventory()
                    #expect(try await laptop.whoami("alice", on: machine.daemon, keys: [key]) == nil)
                    let words = ["--provider", provider.clientSpecification + ",24h", "--allow", "alice@example.com=alice"]
                    let dry = try await machine.setUp(words + ["--dry-run"])
                    #expect(dry.output.contains("ok: another way in is there: root with a key"), "\(dry)")
                    #expect(dry.output.contains("a trial login as alice is tried by a run without --dry-run"), "\(dry)")
                    #expect(dry.status == 0 && dry.output.contains("+ alice alice@example.com"), "\(dry)")
                    #expect(try await machine.inventory() == before, "a dry run writes nothing")
                    let first = try await machine.setUp(words)
                    #expect(first.status == 0 && first.output.contains("ok: a trial login as alice came in"), "\(first)")
                    let login = "opk login --provider \(provider.issuer),"
                    #expect(first.output.contains("alice@example.com may log in as alice: \(login)"), "\(first)")
                    #expect(!first.output.contains("can be had"), "its provider answers: \(first)")
                    #expect(try await machine.reloads() == 1)
                    #expect(try await laptop.whoami("alice", on: machine.daemon, keys: [key]) == "alice")
                    #expect(try await laptop.whoami("bob", on: machine.daemon, keys: [key]) == nil)
                    let after = try await machine.inventory()
                    // PAM's has a line more, since opk-session is installed here.
                    let others = before.filter { line in !["etc/opk/", "etc/pam.d/sshd", "/60-opk.conf"].contains { line.contains($0) } }
                    #expect(after.isSuperset(of: others), "\(others.subtracting(after).sorted())")
                    let again = try await machine.setUp(words + ["--json"])
                    #expect(again.status == 0 && again.output.contains("\"changed\": false"), "\(again)")
                    #expect(try await machine.inventory() == after)
                    #expect(try await machine.reloads() == 1)
                    // One more person is one more row, and the undo goes all the way back.
                    let more = try await machine.setUp(["--allow", "alice@example.com=bob"])
                    #expect(more.status == 0, "\(more)")
                    #expect(try await laptop.whoami("bob", on: machine.daemon, keys: [key]) == "bob")
                    let undone = try await machine.setUp(["--undo"])
                    #expect(undone.status == 0, "\(undone)")
                    #expect(try await machine.inventory() == before)
                    #expect(try await laptop.whoami("alice", on: machine.daemon, keys: [key]) == nil)
                    #expect(try await machine.setUp(["--undo"]).errors.contains("nothing to take back"))
                }
            }
        }

        @Test("what an administrator's commands leave in the audit log is our schema's, and OCSF's and ECS's once it is mapped")
        func auditedCommands() async throws {
            try await withDemoProvider { laptop, provider, _ in
                let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("alice"))
                try await withSetupMachine { machine in
                    let words = ["--provider", provider.clientSpecification + ",24h", "--allow", "alice@example.com=alice"]
                    #expect(try await machine.setUp(words).status == 0)
                    #expect(try await laptop.whoami("alice", on: machine.daemon, keys: [key]) == "alice")
                    let rules = ["/bin/true", "/bin/false"].map { "  - on: [policy-changed]\n    command: \($0)\n" }
                    try await machine.write("notify:\n" + rules.joined(), to: "/etc/opk/config.yml", owner: "root:opksshuser", mode: "0640")
                    try await machine.shell(
                        """
                        opk log notify || true
                        opk keys refresh
                        opk add bob alice@example.com "$1"
                        for count in 1 2 3 4 5 6 7 8 9 10; do opk log notify || true; done
                        """, [provider.issuer])
                    let log = try await machine.shell("cat /var/log/opk/audit.jsonl")
                    #expect(try EventSchema.problems(log) == [])
                    let wanted = ["decision", "policy.changed", "keys.changed", "server.changed", "notified"].map { "\"type\":\"\($0)\"" }
                    for words in wanted + ["\"kind\":\"delivered\"", "\"kind\":\"failed\""] {
                        #expect(log.contains(words), "\(words): \(log)")
                    }
                }
            }
        }

        @Test(
            "without another way in nothing is written and nothing reloaded, unless that is what is wanted; nor is the last way taken by an undo"
        )
        func secondWay() async throws {
            try await withSetupMachine(hasKey: false) { machine in
                let before = try await machine.inventory()
                let refused = try await machine.setUp(Self.row)
                #expect(refused.status == 1 && refused.errors.contains("the only way in"), "\(refused)")
                let dry = try await machine.setUp(Self.row + ["--dry-run"])
                #expect(dry.status == 1 && dry.errors.contains("the only way in"), "\(dry)")
                #expect(try await machine.inventory() == before)
                #expect(try await machine.reloads() == 0)
                #expect(try await machine.setUp(Self.row + ["--only-way"]).status == 0)
                #expect(try await machine.setUp(["--undo"]).status == 1)
                #expect(try await machine.setUp(["--undo", "--only-way"]).status == 0)
                #expect(try await machine.inventory() == before)
            }
        }

        /// Nobody gets in with root's key then; sshd itself says so.
        private static let uselessKeys = [
            "chmod 0777 /root/.ssh", "chmod 0666 /root/.ssh/authorized_keys", "chmod o+w /root", "chown alice /root/.ssh/authorized_keys",
            "sed -i 's/^/# /' /root/.ssh/authorized_keys", "sed -i 's/^/cert-authority /' /root/.ssh/authorized_keys",
            "sed -i 's|^|command=\"/bin/true\" |' /root/.ssh/authorized_keys",
            "sed -i 's/^/expiry-time=\"20250101Z\" /' /root/.ssh/authorized_keys",
            "sed -i 's/^/no-such-option /' /root/.ssh/authorized_keys",
            "sed -i 's/^ssh-ed25519/ssh-rsa/' /root/.ssh/authorized_keys",
            "printf 'not a key, and longer than forty characters it is\\n' > /root/.ssh/authorized_keys",
            "usermod --expiredate 2020-01-01 root", "usermod --shell /usr/sbin/nologin root",
            "sed -i 's/^UsePAM yes/UsePAM no/' /etc/ssh/sshd_config; usermod -p '!' root",
            "echo 'ForceCommand /bin/true' >> /etc/ssh/sshd_config", "echo 'PermitRootLogin no' >> /etc/ssh/sshd_config",
        ]

        @Test("a key that sshd would not take is no other way in, and one that it takes is")
        func usableKeys() async throws {
            try await withSetupMachine { machine in
                try await machine.shell("tar -cpf /run/whole.tar /root/.ssh /etc/ssh /etc/passwd /etc/shadow; stat -c %a /root > /run/mode")
                let key = "/etc/ssh/test_host_key"
                let logIn =
                    "ssh -F none -i \(key) -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes "
                    + "-p \(machine.daemon.port) root@127.0.0.1 'echo in'"
                for harm in Self.uselessKeys {
                    try await machine.shell(harm)
                    try await machine.startSSHD()
                    let said = try await machine.run(["sh", "-c", logIn])
                    #expect(said.output != "in\n", "\(harm)")
                    let refused = try await machine.setUp(Self.row)
                    #expect(refused.status == 1 && refused.errors.contains("the only way in"), "\(harm): \(refused)")
                    try await machine.shell(
                        "tar -C / -xpf /run/whole.tar; chmod \"$(cat /run/mode)\" /root; chown root /root/.ssh/authorized_keys")
                }
                let options = "from=\"127.0.0.1\",restrict,pty,expiry-time=\"29990101\""
                try await machine.shell("sed -i \"s|^|$1 |\" /root/.ssh/authorized_keys", [options])
                try await machine.startSSHD()
                #expect(try await machine.run(["sh", "-c", logIn]).output == "in\n")
                let set = try await machine.setUp(Self.row + ["--dry-run"])
                #expect(set.status == 0, "\(set)")
            }
        }

        @Test("a password that root may use is another way in")
        func password() async throws {
            try await withSetupMachine(configuration: ["Match all"], hasKey: false) { machine in
                try await machine.shell(
                    "sed -i 's/^PasswordAuthentication no/PasswordAuthentication yes\\nPermitRootLogin yes/' /etc/ssh/sshd_config; "
                        + "usermod -p \"$1\" root", ["$6$salt$hash"])
                let set = try await machine.setUp(Self.row)
                #expect(set.status == 0 && set.output.contains("root with a password"), "\(set)")
            }
        }

        // MARK: what `sshd -t` does not notice

        /// What is wrong with a server, and words of the error.
        struct Trouble: CustomStringConvertible, Sendable {
            var configuration: [String] = []
            var harm = "true"
            let words: String
            var description: String { configuration.joined() + harm }
        }

        private static let troubles = [
            Trouble(harm: "chmod o+w /usr/local/libexec/opk/opk-verify", words: "Unsafe AuthorizedKeysCommand"),
            Trouble(configuration: ["PubkeyAcceptedAlgorithms ssh-ed25519,ecdsa-sha2-nistp256"], words: "PubkeyAcceptedAlgorithms"),
            Trouble(configuration: ["AllowUsers root"], words: "not allowed because not listed in AllowUsers"),
            Trouble(
                configuration: ["Match User alice", "AuthenticationMethods publickey,publickey"], words: "a trial login as alice failed"),
            Trouble(configuration: ["UsePAM yes"], harm: "usermod -e 1 alice", words: "a trial login as alice failed"),
            Trouble(harm: "usermod -s /usr/sbin/nologin alice", words: "the session ended with status 1"),
            Trouble(
                configuration: ["Match User alice", "AuthorizedKeysCommand /bin/true"], words: "for alice a Match block says otherwise"),
            Trouble(
                harm: "echo 'deny_emails: [alice@example.com]' >> /etc/opk/config.yml", words: "alice@example.com would not be admitted"),
            Trouble(harm: "echo 'denny_emails: []' >> /etc/opk/config.yml", words: "denny_emails is not a key"),
            Trouble(harm: "chmod o+w /etc/opk/auth_id", words: "auth_id"),
            Trouble(harm: "chmod 0600 /etc/opk/providers", words: "opk-verify cannot read /etc/opk"),
            Trouble(harm: "echo Nonsense yes >> /etc/ssh/sshd_config", words: "sshd refuses its configuration as it is"),
        ]

        @Test("whatever would keep somebody out is found before sshd is reloaded, is said, and all is as it was")
        func trouble() async throws {
            try await withSetupMachine { machine in
                let files = "/etc/opk /etc/ssh /etc/passwd /etc/shadow /usr/local/libexec/opk"
                try await machine.shell("tar -cpf /run/whole.tar \(files)")
                for trouble in Self.troubles {
                    let lines = trouble.configuration.map { $0 + "\n" }.joined()
                    try await machine.shell("printf %s \"$1\" >> /etc/ssh/sshd_config; \(trouble.harm)", [lines])
                    let before = try await machine.inventory()
                    let refused = try await machine.setUp(Self.row)
                    #expect(refused.status == 1 && refused.errors.contains(trouble.words), "\(trouble): \(refused)")
                    #expect(try await machine.inventory() == before, "\(trouble)")
                    try await machine.shell("tar -C / -xpf /run/whole.tar; pkill -u alice || true")
                }
                #expect(try await machine.reloads() == 0)
                #expect(try await machine.setUp(Self.row).status == 0, "otherwise this shows nothing")
            }
        }

        @Test("an sshd that cannot take the new configuration gets the old one back")
        func reloadFails() async throws {
            try await withSetupMachine { machine in
                let before = try await machine.inventory()
                // It ends at a reload, since its host key is gone: no file says so before.
                try await machine.shell(
                    """
                    sed -i 's/^PidFile.*//' /etc/ssh/sshd_config
                    kill "$(cat /run/sshd.pid)"; while [ -e /run/sshd.pid ]; do sleep 0.05; done
                    cp /usr/sbin/sshd /run/sshd-fragile; /run/sshd-fragile -E /run/sshd.log
                    while ! [ -s /run/sshd.pid ]; do sleep 0.05; done; rm /run/sshd-fragile
                    """)
                let refused = try await machine.setUp(Self.row)
                #expect(refused.status == 1 && refused.errors.contains("sshd did not take the new configuration"), "\(refused)")
                #expect(try await machine.inventory() == before)
            }
        }

        @Test(
            "where sessions are recorded PAM runs what records them, as root, at the beginning, before all else; undone, PAM's file is what it was"
        )
        func sessions() async throws {
            try await withSetupMachine { machine in
                try await machine.write(
                    "#!/bin/sh\necho \"$PAM_TYPE $PAM_USER $(id -u)\" >> /run/heard\n", to: "/usr/local/libexec/opk/opk-session",
                    mode: "0755")
                // As an earlier version left it.
                try await machine.shell(
                    """
                    { echo '# >>> opk: `opk setup server --undo` takes these lines away >>>'
                      echo 'session optional pam_exec.so quiet /usr/local/libexec/opk/opk-session'
                      echo '# <<< opk <<<'; } >> /etc/pam.d/sshd
                    """)
                let before = try await machine.inventory()
                let set = try await machine.setUp(Self.row)
                let line = "session optional pam_exec.so quiet type=open_session /usr/local/libexec/opk/opk-session"
                #expect(set.status == 0 && set.output.contains("+ " + line), "\(set)")
                let pam = try await machine.shell("cat /etc/pam.d/sshd").split(separator: "\n").map(String.init)
                #expect(pam.prefix(3).dropFirst().first == line && pam.filter { $0.contains("opk") }.count == 3, "\(pam)")
                #expect(try await machine.shell("stat -c %a /var/log/opk /run/opk/sessions") == "755\n700\n")
                try await machine.shell("rm -f /run/heard")
                // A second run's trial is a login like others.
                #expect(try await machine.setUp(["--allow", "alice@example.com=bob"]).status == 0)
                #expect(try await machine.shell("cat /run/heard") == "open_session bob 0\n")
                #expect(try await machine.setUp(["--undo"]).status == 0)
                #expect(try await machine.inventory() == before)
            }
        }

        @Test("where /var/lib/opk has been taken away it is made as an installation makes it, and goes with an undo, or a run that fails")
        func stateFolder() async throws {
            try await withSetupMachine { machine in
                try await machine.shell("rm -rf /var/lib/opk; usermod -s /usr/sbin/nologin alice")
                let before = try await machine.inventory(of: "etc usr/local")
                #expect(try await machine.setUp(Self.row).status == 1)
                #expect(try await machine.shell("ls -d /var/lib/opk 2>/dev/null || true") == "")
                try await machine.shell("usermod -s /bin/sh alice")
                #expect(try await machine.setUp(Self.row + ["--dry-run"]).status == 0)
                #expect(try await machine.shell("ls -d /var/lib/opk 2>/dev/null || true") == "")
                let set = try await machine.setUp(Self.row)
                #expect(set.status == 0, "\(set)")
                let made = try await machine.shell(
                    "stat -c '%n %U:%G %a %s' /var/lib/opk/refusals /var/lib/opk/recent; stat -c '%U:%G %a' /var/lib/opk")
                #expect(
                    made == """
                        /var/lib/opk/refusals opksshuser:opksshuser 600 4096
                        /var/lib/opk/recent opksshuser:opksshuser 600 135168
                        root:root 755

                        """)
                #expect(try await machine.setUp(Self.row + ["--json"]).output.contains("\"changed\": false"))
                #expect(try await machine.setUp(["--undo"]).status == 0)
                #expect(try await machine.shell("ls -d /var/lib/opk 2>/dev/null || true") == "")
                try await machine.shell("usermod -s /usr/sbin/nologin alice")
                #expect(try await machine.inventory(of: "etc usr/local") == before)
            }
        }

        @Test("a wrong call is told apart, and tries nothing")
        func wrongCalls() async throws {
            try await withSetupMachine { machine in
                let before = try await machine.inventory()
                for (words, said) in [
                    (["--allow", "alice=alice"], "EMAIL=ACCOUNT"), (["--provider", "example.com"], "ISSUER,CLIENT_ID"),
                    (["--provider", "http://idp.example.com,opk"], "https"), (["--undo", "--from-opkssh"], "--undo"),
                ] {
                    let wrong = try await machine.setUp(words)
                    #expect(wrong.status == 64 && wrong.errors.contains(said), "\(words): \(wrong)")
                }
                for (words, said) in [
                    (["--allow", "alice@example.com=alice"], "no provider is named"),
                    (["--provider", "google", "--allow", "alice@example.com=nobody-here"], "there is no account nobody-here"),
                    (["--provider", "google", "--provider", "gitlab", "--allow", "alice@example.com=alice"], "providers names 2"),
                    (["--provider", "google", "--from-opkssh"], "sshd does not ask opkssh"),
                ] {
                    let wrong = try await machine.setUp(words)
                    #expect(wrong.status == 1 && wrong.errors.contains(said), "\(words): \(wrong)")
                }
                #expect(try await machine.inventory() == before)
            }
        }

        @Test("who may be told apart by the order of files, or an option on sshd's command line, is")
        func whoIsAsked() async throws {
            try await withSetupMachine(hasDropIn: true) { machine in
                // Before ours, in a file that sorts first: ours takes a number before it.
                try await machine.write(
                    "AuthorizedKeysCommand /bin/true\nAuthorizedKeysCommandUser nobody\n", to: "/etc/ssh/sshd_config.d/10-other.conf")
                let before = try await machine.inventory()
                #expect(try await machine.setUp(Self.row).status == 0)
                #expect(try await machine.asked().contains("opk-verify --then /bin/true --then-word %u -- %u %k %t"))
                #expect(try await machine.shell("ls /etc/ssh/sshd_config.d") == "05-opk.conf\n10-other.conf\n60-opk.conf\n")
                #expect(try await machine.setUp(["--undo"]).status == 0)
                #expect(try await machine.asked() == "/bin/true")
                #expect(try await machine.inventory() == before)
                // Before the folder is included at all: then sshd's own file includes ours first.
                try await machine.shell(
                    "rm /etc/ssh/sshd_config.d/10-other.conf; sed -i '1i AuthorizedKeysCommand none' /etc/ssh/sshd_config")
                let none = try await machine.inventory()
                #expect(try await machine.setUp(Self.row).status == 0)
                #expect(try await machine.asked().contains("opk-verify -- %u %k %t"))
                #expect(try await machine.shell("sed -n 1p /etc/ssh/sshd_config").contains("opk setup server --undo"))
                try await machine.shell("echo '# mine' >> /etc/ssh/sshd_config")
                #expect(try await machine.setUp(["--undo"]).status == 0)
                try await machine.shell("sed -i '$d' /etc/ssh/sshd_config")
                #expect(try await machine.inventory() == none, "what was written since stays")
                // An option outweighs all files.
                try await machine.startSSHD(["-o", "AuthorizedKeysCommand /bin/true %u", "-o", "AuthorizedKeysCommandUser nobody"])
                let refused = try await machine.setUp(Self.row)
                #expect(refused.status == 1 && refused.errors.contains("outweighs every file"), "\(refused)")
            }
        }
    }
}
