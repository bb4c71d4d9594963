import ChildProcess
import Foundation
import Identities
import Testing
import Vocabulary

@testable import SSHConfiguration

@Suite("opk setup ssh, the files")
struct SSHSetupTests {
    /// A home folder, and `.ssh/config` in it where there is text for it.
    private func withHome(_ config: String?, mode: Int = 0o600, _ body: (String, String) throws -> Void) throws {
        let home = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().appendingPathComponent("opk-setup-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: home) }
        let file = home.path + "/.ssh/config"
        if let config {
            try FileManager.default.createDirectory(
                atPath: home.path + "/.ssh", withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            _ = FileManager.default.createFile(atPath: file, contents: Data(config.utf8), attributes: [.posixPermissions: mode])
        }
        try body(home.path, file)
    }

    private func installing(_ home: String, _ pattern: Text = "*.example.com", name: Text = "work") throws -> SSHSetup {
        try SSHSetup.installing(
            home: home, configured: [try HostPatternTests.identity(name, pattern)], given: [], program: "/usr/bin/opk")
    }

    private func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test("done and undone leaves the file with its bytes and mode, done twice writes nothing", arguments: [0o600, 0o644, 0o640, 0o700])
    func there(mode: Int) throws {
        try withHome("Host a\r\n  User b", mode: mode) { home, file in
            try installing(home).apply()
            #expect(try self.mode(file) == mode)
            #expect(text(file)?.contains("Include ~/.ssh/opk/config") == true)
            #expect(FileManager.default.fileExists(atPath: home + "/.ssh/opk/config"))
            #expect(try installing(home).changes.isEmpty)
            try SSHSetup.removing(home: home).apply()
            #expect(text(file) == "Host a\r\n  User b")
            #expect(try self.mode(file) == mode)
            #expect(!FileManager.default.fileExists(atPath: home + "/.ssh/opk"))
            #expect(try SSHSetup.removing(home: home).changes.isEmpty)
        }
    }

    @Test("where there was no ssh_config, there is none afterwards; nobody else can read what is made")
    func missing() throws {
        try withHome(nil) { home, file in
            try installing(home).apply()
            #expect(try mode(file) == 0o600)
            #expect(try mode(home + "/.ssh") == 0o700)
            #expect(try mode(home + "/.ssh/opk") == 0o700)
            try SSHSetup.removing(home: home).apply()
            #expect(!FileManager.default.fileExists(atPath: file))
        }
    }

    @Test("keys in our folder stay where they are")
    func keysStay() throws {
        try withHome("") { home, _ in
            try installing(home).apply()
            try "key".write(toFile: home + "/.ssh/opk/work", atomically: true, encoding: .utf8)
            try SSHSetup.removing(home: home).apply()
            #expect(text(home + "/.ssh/opk/work") == "key")
        }
    }

    @Test("a link into a folder of dotfiles stays one, and what it leads to is written")
    func link() throws {
        try withHome("") { home, file in
            try FileManager.default.createDirectory(
                atPath: home + "/dotfiles", withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
            try FileManager.default.moveItem(atPath: file, toPath: home + "/dotfiles/ssh_config")
            try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: "../dotfiles/ssh_config")
            try installing(home).apply()
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: file) == "../dotfiles/ssh_config")
            #expect(text(home + "/dotfiles/ssh_config")?.contains("Include") == true)
            try SSHSetup.removing(home: home).apply()
            #expect(text(home + "/dotfiles/ssh_config") == "")
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: file) == "../dotfiles/ssh_config")
        }
    }

    @Test("what cannot safely be written is left alone, with a reason and a hint")
    func refused() throws {
        func expectRefusal(_ home: String, _ what: String, _ file: String) {
            let before = text(file)
            let error = #expect(throws: SetupError.self) { try installing(home) }
            #expect(error?.description.contains(what) == true, "\(error.map { "\($0)" } ?? "")")
            #expect(error?.hint != nil)
            #expect(text(file) == before)
            #expect(!FileManager.default.fileExists(atPath: home + "/.ssh/opk"))
        }
        try withHome("Host a\n", mode: 0o400) { expectRefusal($0, "not for you to change", $1) }
        try withHome("Host a\n", mode: 0o620) { expectRefusal($0, "may be written by", $1) }
        try withHome("\u{FEFF}Host a\n") { expectRefusal($0, "byte order mark", $1) }
        try withHome("# <<< opk <<<\n") { expectRefusal($0, "line 1", $1) }
        try withHome("") { home, file in
            try FileManager.default.removeItem(atPath: file)
            try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: "/nowhere/at/all")
            expectRefusal(home, "link", file)
        }
        try withHome("Host a\n") { home, file in
            try FileManager.default.linkItem(atPath: file, toPath: home + "/other")
            expectRefusal(home, "hard links", file)
        }
    }

    @Test("a file in our place that is not ours is left alone")
    func notOurs() throws {
        try withHome("") { home, _ in
            try FileManager.default.createDirectory(
                atPath: home + "/.ssh/opk", withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            let own = home + "/.ssh/opk/config"
            _ = FileManager.default.createFile(atPath: own, contents: Data("Host mine\n".utf8), attributes: [.posixPermissions: 0o600])
            #expect(throws: SetupError.self) { try installing(home) }
            #expect(throws: SetupError.self) { try SSHSetup.removing(home: home) }
            #expect(text(own) == "Host mine\n")
        }
    }

    @Test("a file that somebody has changed since it was shown is not written, and what was written before is taken back")
    func meanwhile() throws {
        try withHome("Host a\n") { home, file in
            let setup = try installing(home)
            try "Host a\nHost b\n".write(toFile: file, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
            #expect(throws: SetupError.self) { try setup.apply() }
            #expect(text(file) == "Host a\nHost b\n")
            #expect(!FileManager.default.fileExists(atPath: home + "/.ssh/opk/config"))
        }
    }

    @Test("what --hosts said is kept the next time, and its newest word counts")
    func given() throws {
        try withHome(nil) { home, _ in
            func install(_ given: [HostIdentity]) throws -> [HostIdentity] {
                let setup = try SSHSetup.installing(home: home, configured: [], given: given, program: "/usr/bin/opk")
                try setup.apply()
                return setup.identities
            }
            #expect(throws: SetupError.self) { try install([]) }
            let (work, other) = (try HostPatternTests.identity("work", "a", "!b"), try HostPatternTests.identity("other", "c"))
            #expect(try install([work]) == [work])
            #expect(try install([other]) == [work, other])
            #expect(try install([]) == [work, other])
            let newer = try HostPatternTests.identity("work", "d")
            #expect(try install([newer]) == [other, newer])
        }
    }

    @Test("what is shown is what changes, and nothing that a terminal would obey")
    func preview() throws {
        try withHome("Host a\u{1B}[2J\n  User b\n") { home, _ in
            let changes = try installing(home).changes
            let lines = changes.flatMap { Preview.lines(of: $0, home: home) }
            #expect(lines.contains("~/.ssh/opk/config (new)"))
            #expect(lines.contains("~/.ssh/config"))
            #expect(lines.contains("  + Include ~/.ssh/opk/config"))
            #expect(lines.contains("    …"))
            // As it stands in the file: ssh's own quotes.
            #expect(lines.contains { $0.contains("exec \"/") } && !lines.contains { $0.contains("\\\"") })
            #expect(!lines.contains { $0.contains("\u{1B}") })
            try installing(home).apply()
            let undo = try SSHSetup.removing(home: home).changes.flatMap { Preview.lines(of: $0, home: home) }
            #expect(undo.contains("  - Include ~/.ssh/opk/config"))
            #expect(undo.contains("~/.ssh/opk/config (goes)"))
        }
    }

    @Test("where ssh does not understand it, nothing is written")
    func notUnderstood() throws {
        try withHome("Host a\n") { home, file in
            // In ssh's place, one that knows nothing of us.
            let fake = home + "/ssh"
            try "#!/bin/sh\necho user root\n".write(toFile: fake, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: fake)
            let error = #expect(throws: SetupError.self) { try SSHCheck(fake).apply(try installing(home)) }
            #expect(error?.description.contains("would not offer the login work") == true)
            #expect(text(file) == "Host a\n")
            #expect(!FileManager.default.fileExists(atPath: home + "/.ssh/opk"))
            // And one that refuses already what is there.
            try "#!/bin/sh\necho 'line 3: Bad configuration option: foo' >&2\nexit 255\n".write(
                toFile: fake, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: fake)
            let other = #expect(throws: SetupError.self) { try SSHCheck(fake).apply(try installing(home)) }
            #expect(other?.description.contains("line 3: Bad configuration option: foo") == true)
            #expect(text(file) == "Host a\n")
        }
    }

    /// In ssh's place, one that answers what is wanted for work, after `script`.
    private func fake(_ home: String, _ script: String) throws -> String {
        let fake = home + "/ssh"
        let lines = ["identitiesonly yes", "identityfile ~/.ssh/opk/work", "certificatefile ~/.ssh/opk/work-cert.pub"]
        try "#!/bin/sh\n\(script)\nprintf '%s\\n' \(lines.map { "'\($0)'" }.joined(separator: " "))\n".write(
            toFile: fake, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: fake)
        return fake
    }

    @Test("an edit made while ssh is asked stays, nothing else is written, and the next time all is")
    func editDuringCheck() throws {
        try withHome("Host a\n") { home, file in
            let editing = try fake(home, "echo 'Host meanwhile' >> '\(file)'")
            let error = #expect(throws: SetupError.self) { try SSHCheck(editing).apply(try installing(home)) }
            #expect(error?.description.contains("was changed by somebody else meanwhile") == true)
            #expect(error?.hint == "run it again")
            #expect(text(file)?.hasPrefix("Host a\nHost meanwhile\n") == true && text(file)?.contains("opk") == false)
            #expect(!FileManager.default.fileExists(atPath: home + "/.ssh/opk"))
            try SSHCheck(try fake(home, "")).apply(try installing(home))
            #expect(text(file)?.contains("Include ~/.ssh/opk/config\n") == true)
            // An edit while it is done anew, with ours in it already.
            let again = try fake(home, "echo 'Host later' >> '\(file)'")
            let own = text(home + "/.ssh/opk/config")
            #expect(throws: SetupError.self) { try SSHCheck(again).apply(try installing(home, "*.example.org")) }
            #expect(text(file)?.contains("Host later\n") == true)
            #expect(text(home + "/.ssh/opk/config") == own)
        }
    }

    @Test("while ssh is asked nothing of the person's is written yet, so that a kill then leaves nothing that counts; no secret is told")
    func untouchedDuringCheck() throws {
        try withHome("Host a\n  User b\n") { home, file in
            let noting = try fake(
                home,
                """
                cat '\(file)' >> '\(home)/seen'; ls -A '\(home)/.ssh/opk' >> '\(home)/folder'; env >> '\(home)/env'; echo "$@" >> '\(home)/calls'
                [ "$1" != -F ] || { cat "$2"; stat -c '%a' "$2" "${2%/*}"; } >> '\(home)/asked'
                """)
            var environment = ProcessEnvironment.inherited()
            for name in ["OPKSSH_PROVIDERS", "OPENPUBKEY_JWT", "OPK_X", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"] { environment[name] = "hush" }
            try SSHCheck(noting, environment: environment).apply(try installing(home))
            let calls = try #require(text(home + "/calls")).split(separator: "\n").map(String.init)
            let place = home + "/.ssh/opk/.checking"
            #expect(
                calls == [
                    "-G -- opk-check.invalid", "-F \(place)/after -G -- opk-check.example.com", "-F \(place)/after -G -- opk-check.invalid",
                    "-F \(place)/before -G -- opk-check.invalid",
                ])
            #expect(text(home + "/seen") == String(repeating: "Host a\n  User b\n", count: calls.count))
            #expect(text(home + "/folder") == String(repeating: ".checking\n", count: calls.count))
            let written = try #require(text(file)).replacingOccurrences(of: "/opk/config", with: "/opk/.checking/config")
            // As ssh reads it by itself: the system's own after the person's.
            let system = "\nMatch all\nInclude /etc/ssh/ssh_config\n"
            let asked = [written, written, "Host a\n  User b\n"].map { $0 + system + "600\n700\n" }
            #expect(text(home + "/asked") == asked.joined())
            let told = try #require(text(home + "/env"))
            #expect(told.contains("OPK_CHECKING_SSH=1\n") && !told.contains("hush"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: home + "/.ssh/opk").sorted() == ["config", "config-aliases"])
        }
    }

    @Test("ssh is asked about copies that include the system's configuration", .enabled(if: access("/usr/bin/ssh", X_OK) == 0, "no ssh"))
    func systemConfiguration() throws {
        try withHome(nil) { home, _ in
            try "User from-system\n".write(toFile: home + "/system", atomically: true, encoding: .utf8)
            let folder = home + "/.ssh/opk"
            let trial = try Trial(in: folder, person: Array("Host a\n  Port 7\n".utf8), own: [], system: home + "/system")
            let lock = try trial.lock()
            defer { lock.release() }
            try trial.write()
            for file in [trial.before, trial.after] {
                let outcome = try ChildProcess.run("/usr/bin/ssh", ["-F", file, "-G", "--", "b"], environment: .empty, deadline: 20_000)
                #expect(String(decoding: outcome.output, as: UTF8.self).contains("user from-system\n"))
            }
        }
    }

    @Test("two who set ssh up at once try one after the other, and neither takes away what the other asks about")
    func twoAtOnce() throws {
        try withHome("Host a\n") { home, _ in
            let setup = try installing(home)
            let place = home + "/.ssh/opk/.checking"
            try setup.trying { trial throws(SetupError) in
                let refused = #expect(throws: SetupError.self) { _ = try TrialLock(place, waitingAtMost: 50) }
                #expect(refused?.description == "another `opk setup ssh` is under way" && refused?.hint == "run it again")
                Trial.removeAbandoned(from: home + "/.ssh/opk")
                #expect(FileManager.default.fileExists(atPath: trial.after))
            }
            #expect(!FileManager.default.fileExists(atPath: home + "/.ssh/opk"))
            // Who waits gets it when the other's folder is gone, and it is a folder of its own then.
            let first = try TrialLock(place)
            let waiting = Thread {
                usleep(100_000); rmdir(place); first.release()
            }
            waiting.start()
            let second = try TrialLock(place)
            #expect(FileManager.default.fileExists(atPath: place))
            second.release()
        }
    }

    @Test("what a check that was killed has left goes with the next, and with everything else")
    func killed() throws {
        try withHome("Host a\n") { home, file in
            let place = home + "/.ssh/opk/.checking"
            func leave() throws {
                try FileManager.default.createDirectory(
                    atPath: place, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
                try "Host old\n".write(toFile: place + "/after", atomically: true, encoding: .utf8)
            }
            try FileManager.default.createDirectory(
                atPath: home + "/.ssh/opk", withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            try leave()
            try SSHCheck(try fake(home, "")).apply(try installing(home))
            #expect(!FileManager.default.fileExists(atPath: place))
            try leave()
            try SSHSetup.removing(home: home).apply()
            #expect(!FileManager.default.fileExists(atPath: home + "/.ssh/opk"))
            #expect(text(file) == "Host a\n")
        }
    }
}
