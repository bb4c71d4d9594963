import Foundation
import Testing

extension RealSSH {
    /// What `opk setup server` says and leaves where something is not as it should be.
    @Suite("opk setup server: words and traces", .enabled(if: Machine.canCopy, Machine.noCopy))
    struct SetupServerTraceTests {
        private static let row = ["--provider", "https://idp.example.com,opk,8h", "--allow", "alice@example.com=alice"]
        private static let more = ["--allow", "alice@example.com=bob"]
        private static let dropIn = "/etc/ssh/sshd_config.d/60-opk.conf"

        @Test("its own trial is no login, no decision and no last refusal of the machine's; each file that it changed is an event")
        func noTrace() async throws {
            try await withSetupMachine { machine in
                #expect(try await machine.setUp(Self.row).status == 0)
                // Now PAM runs opk-session.
                #expect(try await machine.setUp(Self.more).status == 0)
                let log = try await machine.shell("cat /var/log/opk/audit.jsonl")
                #expect(!log.contains("trial") && !log.contains("\"decision\"") && !log.contains("\"login\""), "\(log)")
                let last = try await machine.run(["opk", "explain", "--last"])
                #expect(!last.both.contains("trial"), "\(last)")
                for file in ["/etc/opk/auth_id", "/etc/opk/providers", Self.dropIn, "/etc/pam.d/sshd"] {
                    #expect(log.contains("\"file\":\"\(file)\""), "\(file): \(log)")
                }
            }
        }

        @Test("a mistake in its own file is what an undo says and takes away; one elsewhere is said, and waited for unless it need not")
        func brokenBeforeUndo() async throws {
            try await withSetupMachine { machine in
                let before = try await machine.inventory()
                #expect(try await machine.setUp(Self.row).status == 0)
                try await machine.shell("sed -i s/CommandUser/ComandUser/ \(Self.dropIn)")
                let undone = try await machine.setUp(["--undo"])
                #expect(undone.status == 0 && undone.output.contains("\(Self.dropIn): line 4: Bad configuration option"), "\(undone)")
                try await machine.shell("rm \(Self.dropIn).removed")
                #expect(try await machine.inventory() == before)
                #expect(try await machine.setUp(Self.row).status == 0)
                try await machine.shell("echo Nonsense yes >> /etc/ssh/sshd_config")
                let refused = try await machine.setUp(["--undo"])
                #expect(refused.status == 1 && refused.errors.contains("sshd refuses its configuration"), "\(refused)")
                #expect(refused.errors.contains("Nonsense") && refused.errors.contains("--only-way"), "\(refused)")
                #expect(!refused.errors.contains("would be the only way in"), "\(refused)")
                let reloads = try await machine.reloads()
                let forced = try await machine.setUp(["--undo", "--only-way"])
                #expect(forced.status == 0 && forced.output.contains("still refuses its configuration"), "\(forced)")
                #expect(try await machine.reloads() == reloads)
                try await machine.shell("sed -i '$d' /etc/ssh/sshd_config")
                #expect(try await machine.inventory() == before)
            }
        }

        @Test("rows stay where they are to; what was changed since is said once")
        func keepingPolicy() async throws {
            try await withSetupMachine { machine in
                #expect(try await machine.setUp(Self.row).status == 0)
                let rows = try await machine.shell("cat /etc/opk/auth_id")
                let kept = try await machine.setUp(["--undo", "--keep-policy"])
                #expect(kept.status == 0, "\(kept)")
                #expect(try await machine.shell("cat /etc/opk/auth_id") == rows)
                #expect(try await machine.asked() == "none")
                #expect(try await machine.setUp(["--allow", "alice@example.com=bob"]).status == 0)
                try await machine.shell("echo '# mine' >> /etc/opk/auth_id")
                let undone = try await machine.setUp(["--undo"])
                #expect(undone.output.components(separatedBy: "/etc/opk/auth_id was changed since").count == 2, "\(undone)")
                #expect(!undone.output.contains("/etc/opk/auth_id becomes"), "\(undone)")
            }
        }

        @Test("a provider that does not answer is named before anything is written, and keeps nobody from going on")
        func unanswering() async throws {
            try await withSetupMachine { machine in
                let set = try await machine.setUp(["--provider", "https://127.0.0.1:9,opk", "--allow", "alice@example.com=alice"])
                #expect(set.status == 0 && set.output.contains("note: no keys of https://127.0.0.1:9 can be had"), "\(set)")
                #expect(set.output.contains("opk login --provider https://127.0.0.1:9,opk, then ssh"), "\(set)")
            }
        }

        @Test("a row of providers that cannot be used is shown")
        func badRow() async throws {
            try await withSetupMachine { machine in
                try await machine.write(
                    "https://idp.example.com opk 24hh\n", to: "/etc/opk/providers", owner: "root:opksshuser", mode: "0640")
                let refused = try await machine.setUp(["--allow", "alice@example.com=alice"])
                #expect(refused.status == 1 && refused.errors.contains("line 1: 24hh is not an expiry policy"), "\(refused)")
                let noted = try await machine.setUp(Self.row + ["--dry-run"])
                #expect(noted.status == 0 && noted.output.contains("note: /etc/opk/providers, line 1: 24hh"), "\(noted)")
            }
        }

        @Test("a shell that lets nobody in is named as the cause")
        func shell() async throws {
            try await withSetupMachine { machine in
                try await machine.shell("usermod -s /usr/sbin/nologin alice")
                let refused = try await machine.setUp(Self.row)
                #expect(refused.status == 1 && refused.errors.contains("usermod --shell /bin/bash alice"), "\(refused)")
            }
        }

        @Test("interrupted it says that nothing is changed, and leaves nothing")
        func interrupted() async throws {
            try await withSetupMachine { machine in
                try await machine.write("#!/bin/sh\nexec sleep 20\n", to: "/run/slow", mode: "0755")
                try await machine.shell("usermod -s /run/slow alice")
                let before = try await machine.inventory()
                let said = try await machine.shell(
                    """
                    opk setup server --yes "$@" > /run/said 2>&1 & setup=$!
                    until grep -q Accepted /var/lib/opk/.trial/sshd.log 2> /dev/null; do sleep 0.05; kill -0 $setup; done
                    kill -TERM $setup
                    wait $setup || echo "status $?" >> /run/said
                    cat /run/said
                    """, Self.row)
                #expect(said.contains("interrupted; nothing is changed") && said.contains("status 1"), "\(said)")
                #expect(try await machine.inventory() == before)
            }
        }

        @Test("make install's own line is brought up to what sshd can tell; and back")
        func addresses() async throws {
            try await withSetupMachine(hasDropIn: true) { machine in
                let before = try await machine.shell("cat \(Self.dropIn)")
                // This sshd's version decides; `ssh -V` is of the same package.
                try await machine.shell(
                    """
                    mv /usr/sbin/sshd /usr/sbin/sshd.real
                    printf '#!/bin/sh\\n[ "$1" != -V ] || { echo "OpenSSH_10.0p2" >&2; exit 0; }\\nexec /usr/sbin/sshd.real "$@"\\n' > /usr/sbin/sshd
                    chmod 0755 /usr/sbin/sshd
                    """)
                let shown = try await machine.setUp(Self.row + ["--dry-run"])
                #expect(shown.output.contains("+ AuthorizedKeysCommand /usr/local/libexec/opk/opk-verify -- %u %k %t %C"), "\(shown)")
                #expect(shown.output.contains("- AuthorizedKeysCommand /usr/local/libexec/opk/opk-verify -- %u %k %t\n"), "\(shown)")
                #expect(try await machine.shell("cat \(Self.dropIn)") == before)
            }
        }
    }
}
