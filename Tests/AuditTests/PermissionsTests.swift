import Audit
import ChildProcess
import Foundation
import JOSE
import Testing
import Vocabulary

@Suite("opk permissions", .serialized, .enabled(if: Server.isRoot, "needs root"))
struct PermissionsTests {
    private func mode(_ path: String) -> String {
        var facts = stat()
        guard lstat(path, &facts) == 0 else { return "-" }
        return "\(facts.st_uid):\(facts.st_gid) " + String(facts.st_mode & 0o7777, radix: 8)
    }

    /// Everything that the check looks at, and what it is.
    private func modes(_ server: Server) -> [String] {
        PermissionCheck(server.places).items.map { "\($0.expected.path) \(mode($0.expected.path))" }
    }

    @Test("What the installation makes is right, and so is what is stricter but can be read by whom it must")
    func right() throws {
        let server = try Server()
        #expect(PermissionCheck(server.places).faults.isEmpty, "\(PermissionCheck(server.places).lines)")
        #expect(PermissionCheck(server.places).items.count >= 10)
        chmod(server.places.authID, 0o440)
        chown(server.places.configFolder, 0, 65534)
        chmod(server.places.configFolder, 0o750)
        #expect(PermissionCheck(server.places).faults.isEmpty, "as opkssh's installation makes it: \(PermissionCheck(server.places).lines)")
    }

    @Test(
        "Each thing that is off is found and mended, and nothing else is touched",
        arguments: [
            "etc/auth_id", "etc/providers", "etc", "usr/libexec/opk", "usr/libexec/opk/opk-verify", "usr/libexec/opk/opk-session", "cache",
            "state", "state/refusals",
            "auditlog", "auditlog/audit.jsonl", "sudoers.d/opk",
        ])
    func mended(name: String) throws {
        let server = try Server()
        let before = modes(server)
        let path = server.folder + "/" + name
        for spoil in [{ chmod(path, 0o777) }, { chown(path, 2, 2) }, { chmod(path, 0) }] {
            _ = spoil()
            let check = PermissionCheck(server.places)
            #expect(check.faults.map(\.expected.path) == [path])
            let fix = PermissionFix(check)
            #expect(fix.steps.count == 1 && fix.refused.isEmpty)
            for step in fix.steps { #expect(fix.apply(step) == nil) }
            #expect(modes(server) == before)
        }
    }

    @Test("V66 A link, a second name, a FIFO and a folder in a file's place are named and not touched, nor what they lead to")
    func links() throws {
        let server = try Server()
        let victim = try server.write("victim", "secret\n", mode: 0o600, as: "bin:bin")
        let untouched = mode(victim)
        let path = server.places.authID
        for (word, make) in [
            ("symbolic link", { _ = symlink(victim, path) }), ("hard links", { _ = link(victim, path) }),
            ("no plain file", { _ = mkfifo(path, 0o777) }),
            ("no plain file", { _ = mkdir(path, 0o777) }),
        ] as [(String, () -> Void)] {
            try? FileManager.default.removeItem(atPath: path)
            make()
            let fix = PermissionFix(PermissionCheck(server.places))
            #expect(fix.steps.isEmpty && fix.refusedLines.count == 1 && fix.refusedLines[0].contains(word), "\(word)")
            #expect(mode(victim) == untouched)
        }
    }

    @Test("V66 What comes into a file's place after it was looked at is not touched")
    func swapped() throws {
        let server = try Server()
        let victim = try server.write("victim", "secret\n", mode: 0o600, as: "bin:bin")
        let untouched = mode(victim)
        let path = server.places.authID
        for make in [{ symlink(victim, path) }, { link(victim, path) }, { mkfifo(path, 0o777) }, { mkdir(path, 0o777) }] {
            try? FileManager.default.removeItem(atPath: path)
            try server.rows("")
            chmod(path, 0o666)
            let fix = PermissionFix(PermissionCheck(server.places))
            let step = try #require(fix.steps.first)
            unlink(path)
            _ = make()
            #expect(fix.apply(step) != nil)
            #expect(mode(victim) == untouched)
        }
    }

    @Test("V66 As root nothing is changed where somebody else could turn the way, nor through a link on it")
    func turned() throws {
        let server = try Server()
        let victims = try Server()
        try victims.rows("")
        chmod(victims.places.authID, 0o600)
        let untouched = mode(victims.places.authID)
        try server.rows("")
        chmod(server.places.authID, 0o666)
        let fix = PermissionFix(PermissionCheck(server.places))
        let step = try #require(fix.steps.first { $0.expected.path == server.places.authID })
        let folder = server.places.configFolder
        rename(folder, folder + ".old")
        symlink(victims.places.configFolder, folder)
        #expect(fix.apply(step)?.contains("link") == true && mode(victims.places.authID) == untouched)
        unlink(folder)
        rename(folder + ".old", folder)
        chown(folder, 2, 2)
        #expect(fix.apply(step)?.contains("others than root") == true)
        chown(folder, 0, 0)
        #expect(fix.apply(step) == nil)
    }

    @Test("V66 What lies behind a linked policy.d is nobody's business here")
    func linkedPlugins() throws {
        let server = try Server()
        let elsewhere = try server.write("elsewhere.yml", "name: x\n", mode: 0o666, as: "bin:bin")
        symlink((elsewhere as NSString).deletingLastPathComponent, server.places.pluginFolder)
        let check = PermissionCheck(server.places)
        #expect(!check.items.contains { $0.expected.path.hasSuffix("elsewhere.yml") })
    }

    @Test("A file of the policy that has to be there and is not is a fault that no change of modes mends")
    func absent() throws {
        let server = try Server()
        unlink(server.places.authID)
        let check = PermissionCheck(server.places)
        #expect(check.lines == ["Problem: \(server.places.authID): file does not exist"])
        #expect(PermissionFix(check).steps.isEmpty && PermissionFix(check).refused.count == 1)
    }
}

@Suite("opk audit and opk permissions, the programs", .serialized, .enabled(if: Server.isRoot, "needs root"))
struct CommandTests {
    struct Run {
        let status: Int32
        let output: String
        let errors: String
        func json() throws -> JSON { try JSON(parsing: Array(output.utf8)) }
    }

    private static let opk = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/opk"

    private func opk(_ words: String..., input: String = "", as user: UInt32? = nil) throws -> Run {
        let become = user.map { ["--reuid", "\($0)", "--regid", "\($0)", "--clear-groups"] } ?? []
        let outcome = try ChildProcess.run(
            "/usr/bin/setpriv", become + [Self.opk] + words, environment: .empty, input: Array(input.utf8),
            errorOutput: .captured(limit: 1 << 20),
            deadline: 60_000)
        guard case .exited(let status) = outcome.ending else { throw CocoaError(.executableRuntimeMismatch) }
        return Run(
            status: status, output: String(decoding: outcome.output, as: UTF8.self),
            errors: String(decoding: outcome.errorOutput, as: UTF8.self))
    }

    @Test("opk audit ends with 0, 1 and 2, takes opkssh's options, and groups by file with a count at the end")
    func audit() throws {
        let server = try Server()
        let good = try opk("audit", "--policy-only", "--config-dir", server.places.configFolder)
        #expect(good.status == 0 && good.output == "0 errors, 0 warnings, 0 notes: nothing to mend\n" && good.errors.isEmpty)
        try server.rows("bin alice.example.com \(Server.issuer)")
        #expect(try opk("audit", "--policy-only", "--config-dir", server.places.configFolder).status == 1)
        try server.rows("bin a@example.com https://other.example\nbin a@example.com \(Server.issuer)")
        let bad = try opk("audit", "--policy-only", "--config-dir", server.places.configFolder)
        #expect(
            bad.status == 2 && bad.output.hasSuffix("\n1 error, 0 warnings, 1 note\n")
                && bad.output.hasPrefix(server.places.authID + "\n  "))
        let short = try opk("audit", "--policy-only", "--no-notes", "--config-dir", server.places.configFolder + "/")
        #expect(!short.output.contains("note: "))
        // opkssh's own words.
        let other = try server.write("other", "bin x https://third.example\n", mode: 0o640)
        let json = try opk(
            "audit", "-j", "--policy-file", other, "--providers-file", server.places.providers, "--skip-user-policy", "--policy-only")
        let report = try json.json()
        #expect(json.status == 2 && report["system_policy"]?["file_path"]?.string == Text(other))
        for wrong in [try opk("audit", "--config-dir", "etc"), try opk("audit", "--nonsense")] { #expect(wrong.status == 64) }
    }

    @Test("Who is not root is told what they may not see, and that is no clean bill")
    func notRoot() throws {
        let server = try Server()
        let run = try opk("audit", "--policy-only", "--config-dir", server.places.configFolder, as: 2)
        #expect(
            run.status == 1 && run.output.contains("[not-looked-at]") && run.output.contains("sudo opk audit"), "\(run.output)\(run.errors)"
        )
    }

    @Test("opk permissions: check says what is off and ends with 1; fix asks, or not, mends it and says so; opkssh's options work")
    func permissions() throws {
        let server = try Server()
        let folder = server.places.configFolder
        let words = ["--policy-only", "--config-dir", folder]
        let right = try opk("permissions", "check", words[0], words[1], words[2])
        #expect(right.status == 0 && right.output.isEmpty && right.errors.isEmpty)
        chmod(server.places.authID, 0o666)
        let check = try opk("permissions", "check", words[0], words[1], words[2])
        #expect(check.status == 1 && check.output.hasPrefix("Problem: \(server.places.authID): expected mode 0640, got 0666"))
        let json = try opk("permissions", "check", "--json", words[0], words[1], words[2])
        let entry = try json.json().array?.first { $0["path"]?.string == Text(server.places.authID) }
        #expect(json.status == 1 && entry?["exists"] == true && entry?["permsErr"] != nil && entry?["mode"] == "0666")
        let dry = try opk("permissions", "fix", "--dry-run", words[0], words[1], words[2])
        #expect(dry.status == 0 && dry.output.contains("Action: chown root ") && dry.output.hasSuffix("dry-run complete\n"))
        let no = try opk("permissions", "fix", words[0], words[1], words[2], input: "n\n")
        #expect(no.status == 1 && no.errors.contains("nothing was changed"))
        #expect(try opk("permissions", "check", words[0], words[1], words[2]).status == 1)
        #expect(try opk("permissions", "fix", "--json", words[0], words[1], words[2]).status == 64)
        let yes = try opk("permissions", "fix", words[0], words[1], words[2], input: "y\n")
        #expect(yes.status == 0 && yes.output.contains("done: chown ") && yes.output.hasSuffix("fix completed successfully\n"))
        #expect(try opk("permissions", "check", words[0], words[1], words[2]).status == 0)
        chmod(server.places.authID, 0o666)
        let fixed = try opk("permissions", "fix", "--yes", "--json", words[0], words[1], words[2])
        let changed = try fixed.json()["changed"]?.array
        #expect(fixed.status == 0 && changed == [.string(Text(server.places.authID))])
        #expect(try opk("permissions", "install", words[0], words[1], words[2]).output == "nothing is off\n")
        unlink(server.places.authID)
        symlink("/etc/passwd", server.places.authID)
        let link = try opk("permissions", "fix", "-y", words[0], words[1], words[2])
        #expect(link.status == 1 && link.errors.contains("symbolic link: not touched"))
    }
}
