import Foundation
import Testing

private enum SessionLineNeeds {
    static let pamFile = "/etc/pam.d/sshd"
    static let areHere = Machine.path("cc") != nil && FileManager.default.fileExists(atPath: pamFile)
}

extension RealSSH {
    /// Debian 12 and Ubuntu 24.04 let `~/.pam_environment` into PAM's environment (pam_env, user_readenv=1), which pam_exec hands to root's programs.
    @Suite(
        "What a user puts into PAM's environment", .enabled(if: Machine.canOverlay, Machine.noOverlay),
        .enabled(if: SessionLineNeeds.areHere, "there is no cc, or PAM has no file for sshd here"))
    struct SessionLineTests {
        private static let pamFile = SessionLineNeeds.pamFile
        private static let program = "/usr/local/libexec/opk/opk-session"
        private static let safe = "session optional pam_exec.so quiet type=open_session \(program)"
        /// At the end of the file, as it was once recommended.
        private static let old = "session optional pam_exec.so quiet \(program)"

        /// Writes a line wherever it is loaded into opk-session.
        private static let library = """
            #define _GNU_SOURCE
            #include <errno.h>
            #include <stdio.h>
            #include <stdlib.h>
            #include <string.h>
            #include <unistd.h>
            __attribute__((constructor)) static void begin(void) {
                if (strcmp(program_invocation_short_name, "opk-session") != 0) return;
                FILE *file = fopen("/var/tmp/loaded", "a");
                if (!file) return;
                fprintf(file, "%d %s\\n", (int)getuid(), getenv("PAM_TYPE"));
                fclose(file);
            }
            """

        /// PAM's file as this system's package has it, which lets the user's variables in.
        private static func stack(_ first: String?, _ last: String?) throws -> String {
            var text = try String(contentsOfFile: pamFile, encoding: .utf8)
            if !text.contains("user_readenv=1") {
                text = text.replacingOccurrences(of: "pam_env.so envfile", with: "pam_env.so user_readenv=1 envfile")
            }
            // What a container's kernel refuses is not what is tested.
            text = text.replacingOccurrences(of: "session    required     pam_loginuid.so", with: "session    optional     pam_loginuid.so")
            return (first.map { $0 + "\n" } ?? "") + text + (last.map { $0 + "\n" } ?? "")
        }

        private func withUser(
            _ body: (_ logIn: () async throws -> Void, SessionServer, LogSocket) async throws -> Void
        ) async throws {
            try await withDemoProvider { laptop, provider, server in
                let key = try await laptop.logIn(provider.clientSpecification, key: "alice", visit: provider.press("alice"))
                let machine = try await SessionServer.start(server)
                do {
                    try await machine.configure(provider.issuer, authID: ["alice alice@example.com \(provider.issuer)"])
                    try await machine.write(Self.library, to: "/var/tmp/loaded.c")
                    try await machine.run(["cc", "-shared", "-fPIC", "-o", "/var/tmp/loaded.so", "/var/tmp/loaded.c"])
                    let logIn = {
                        try await machine.run(["rm", "-rf", "/var/tmp/loaded", "/run/opk/sessions"])
                        try await machine.run(["sh", "-c", ": > /var/log/opk/audit.jsonl"])
                        let who = try await laptop.whoami("alice", on: machine.daemon, keys: [key])
                        #expect(who == "alice", "\(machine.daemon.log.suffix(2000))")
                        try await machine.gone()
                    }
                    try await body(logIn, machine, server.log)
                } catch {
                    await machine.stop()
                    throw error
                }
                await machine.stop()
            }
        }

        private func loaded(_ machine: SessionServer) async throws -> String {
            try await machine.run(["sh", "-c", "cat /var/tmp/loaded 2>/dev/null || true"]).output
        }

        @Test("LD_PRELOAD of ~/.pam_environment is run by root with the old line; the line at the top prevents it, and set-group-ID does")
        func preload() async throws {
            try await withUser { logIn, machine, _ in
                try await machine.write("LD_PRELOAD DEFAULT=/var/tmp/loaded.so\n", to: "/home/alice/.pam_environment", owner: "alice")
                try await machine.write(try Self.stack(nil, Self.old), to: Self.pamFile)
                try await machine.run(["chown", "root:root", Self.program])
                try await machine.run(["chmod", "0755", Self.program])
                try await logIn()
                #expect(try await loaded(machine) == "0 open_session\n0 close_session\n", "otherwise this shows nothing")

                // The place alone.
                try await machine.write(try Self.stack(Self.safe, nil), to: Self.pamFile)
                try await logIn()
                #expect(try await loaded(machine).isEmpty)
                #expect(try await machine.events("login").count == 1)

                // The bit alone: the loader has taken the variable away, so there is nothing to complain of either.
                try await machine.write(try Self.stack(nil, Self.old), to: Self.pamFile)
                try await machine.run(["chown", "root:opksshuser", Self.program])
                try await machine.run(["chmod", "2750", Self.program])
                try await logIn()
                #expect(try await loaded(machine).isEmpty)
                #expect(try await machine.events("login").count == 1)

                // Both, as it is installed.
                try await machine.write(try Self.stack(Self.safe, nil), to: Self.pamFile)
                try await logIn()
                #expect(try await loaded(machine).isEmpty)
                #expect(try await machine.events("login").count == 1)
                for account in ["alice", "nobody"] {
                    // By a shell: setpriv itself still has root's capabilities when it starts something.
                    let words = [
                        "setpriv", "--reuid", account, "--regid", "nogroup", "--clear-groups", "sh", "-c", "\(Self.program) --version",
                    ]
                    let started = try await machine.run(words, succeeds: false)
                    #expect(started.status != 0, "\(account): \(started.both)")
                }
            }
        }

        @Test("a user who forges PAM's, sshd's and OpenSSL's variables is recorded as who they are; with the old line the log tells of it")
        func forged() async throws {
            try await withUser { logIn, machine, log in
                let forged = [
                    "PAM_USER", "PAM_TYPE", "PAM_RHOST", "SSH_AUTH_INFO_0", "OPENSSL_CONF", "GCONV_PATH", "LD_LIBRARY_PATH",
                ].map { "\($0) DEFAULT=/var/tmp/forged\n" }.joined()
                try await machine.write(forged, to: "/home/alice/.pam_environment", owner: "alice")
                try await machine.write(try Self.stack(Self.safe, nil), to: Self.pamFile)
                try await logIn()
                let login = try #require(try await machine.events("login").first)
                #expect(login["account"] as? String == "alice" && login["email"] as? String == "alice@example.com")
                #expect(login["verified"] as? Bool == true && login["source_address"] as? String == "127.0.0.1")
                try await machine.opk("enforce")
                let logout = try #require(try await machine.events("logout").first)
                #expect(logout["session"] as? String == login["session"] as? String)

                try await machine.write(try Self.stack(nil, Self.old), to: Self.pamFile)
                try await logIn()
                #expect(try await machine.events("login").isEmpty)
                _ = try await log.line("nothing is recorded", "which whoever logs in may have put there")
            }
        }
    }
}
