import Audit
import ChildProcess
import Foundation
import JOSE
import Testing
import Vocabulary

@Suite("opk audit", .serialized, .enabled(if: Server.hasSSHD, "needs root and an sshd"))
struct AuditTests {
    @Test("On a server on which nothing is wrong there is nothing to say, and the status is 0")
    func clean() throws {
        let server = try Server()
        let report = server.audit()
        #expect(report.findings.isEmpty, "\(report.lines())")
        #expect(report.exitStatus == 0 && report.lines() == ["0 errors, 0 warnings, 0 notes: nothing to mend"])
    }

    @Test("Each thing that is wrong is found, where it is, and with its severity in the exit status", arguments: Spoiling.all)
    func finding(spoiling: Spoiling) throws {
        let server = try Server()
        try spoiling.act(server)
        let report = server.audit()
        let found = report.findings.filter { $0.code == spoiling.code }
        let isThere = found.contains { finding in
            (spoiling.file.map { finding.file == server.folder + "/" + $0 } ?? true) && (spoiling.line.map { finding.line == $0 } ?? true)
        }
        #expect(isThere, "\(report.lines())")
        #expect(report.exitStatus >= Int32(spoiling.code.severity.rawValue))
    }

    @Test("Root runs no program, not even for its version, that others could have put there")
    func notRun() throws {
        let server = try Server()
        let mark = server.folder + "/ran"
        try server.write("usr/libexec/opk/opk-fetch", "#!/bin/sh\ntouch \(mark)\necho opk-fetch \(Version.text)\n", mode: 0o755)
        #expect(server.audit().findings.isEmpty && FileManager.default.fileExists(atPath: mark))
        unlink(mark)
        chmod(server.places.helperFolder, 0o777)
        #expect(server.audit().codes.contains(.programMode) && !FileManager.default.fileExists(atPath: mark))
    }

    /// Commands that change owner, mode or content of what is there, and need nothing else.
    static let mendable: [Spoiling] = Spoiling.all.filter {
        [
            .fileLink, .fileOwner, .fileMode, .fileHardLinks, .folderOwner, .folderMode, .folderAbove, .fileUnreadable, .fileExposed,
            .programMode,
            .sudoersRule,
        ].contains($0.code)
    }

    @Test("The command that is named mends it", arguments: mendable)
    func remedy(spoiling: Spoiling) throws {
        let server = try Server()
        try spoiling.act(server)
        let commands = server.audit().findings.filter { $0.code == spoiling.code }.compactMap(\.remedy)
        #expect(!commands.isEmpty)
        let tools = ["chmod", "chown", "chgrp", "cp", "install"]
        for command in commands where tools.contains(String(command.prefix { $0 != " " })) {
            // Without the part that is opk's own, which its own tests run.
            let alone = command.replacing("; opk permissions fix", with: "")
            _ = try ChildProcess.run("/bin/sh", ["-c", alone], environment: .inherited(), deadline: 10_000)
            let left = server.audit().findings.filter { $0.code == spoiling.code && $0.remedy == command }
            #expect(left.isEmpty, "\(command): \(left)")
        }
    }

    @Test("Where opk setup server is the cure it is named, and else what brings a file back: by the package, where it came from one")
    func cures() throws {
        let server = try Server()
        func remedy(_ code: FindingCode) -> String? { server.audit().findings.first { $0.code == code }?.remedy }
        try server.write("ssh/60-opk.conf", "# nothing\n")
        #expect(remedy(.sshdNone) == "opk setup server")
        try server.sshd("", command: "/usr/bin/sss_ssh_authorizedkeys")
        #expect(remedy(.sshdOther) == "opk setup server")
        try server.sshd("AuthorizedKeysCommand /usr/bin/sss_ssh_authorizedkeys\n")
        #expect(remedy(.sshdOrder) == "opk setup server")
        try server.sshd("AuthorizedKeysCommand /usr/local/bin/opkssh verify %u %k %t\n")
        #expect(remedy(.sshdOrder) == "opk setup server --from-opkssh")
        var places = AuditPlaces(prefix: "/usr")
        places.packageMark = server.folder + "/none"
        #expect(places.reinstall == "make install")
        places.packageMark = server.places.authID
        #expect(places.reinstall == "apt-get install --reinstall opk-server")
        places.prefix = "/usr/local"
        #expect(places.reinstall == "make install")
    }

    @Test("What only looks like a fault is not called one", arguments: Innocence.all)
    func innocent(innocence: Innocence) throws {
        let server = try Server()
        try innocence.act(server)
        let report = server.audit()
        #expect(!report.codes.contains(innocence.code), "\(report.lines())")
    }

    @Test("There is no finding that no test provokes, and none without a meaning")
    func complete() {
        let provoked = Set(Spoiling.all.map(\.code) + Spoiling.elsewhere)
        #expect(Set(FindingCode.allCases).subtracting(provoked).isEmpty)
        #expect(FindingCode.allCases.allSatisfy { $0.meaning != $0.rawValue })
    }

    @Test("opk-audit(1) lists each code with its severity and its meaning")
    func manual() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("docs/man/opk-audit.1"), encoding: .utf8)
        for code in FindingCode.allCases {
            let meaning = code.meaning.prefix(1).uppercased() + code.meaning.dropFirst()
            #expect(page.contains(".It Cm \(code.rawValue) Pq \(code.severity.word)\n\(meaning).\n"), "\(code.rawValue)")
        }
        #expect(page.components(separatedBy: "\n.It Cm ").count - 1 == FindingCode.allCases.count)
    }

    @Test("The status is 0 with notes alone, 1 with warnings, 2 with errors")
    func status() throws {
        let server = try Server()
        server.places.clock = { .container }
        #expect(server.audit().exitStatus == 0 && !server.audit().findings.isEmpty)
        server.places.clock = { .free }
        #expect(server.audit().exitStatus == 1)
        try server.rows("nonsense")
        #expect(server.audit().exitStatus == 2)
    }

    @Test("%C is fatal up to OpenSSH 9.2, unknown up to 10.0, and recommended from there on", arguments: ["9.2", "9.9", "10.0"])
    func address(version: String) throws {
        let server = try Server()
        // The real one's answers, with another version's name.
        let real = try #require(server.places.sshd)
        server.places.sshd = try server.write(
            "sshd", "#!/bin/sh\n[ \"$1\" = -V ] && { echo \"OpenSSH_\(version)p1, OpenSSL\" >&2; exit 0; }\nexec \(real) \"$@\"\n",
            mode: 0o755)
        #expect(server.audit().codes == (version == "10.0" ? [.sshdAddressAbsent] : []))
        try server.sshd("", command: "\(server.places.verifier) -- %u %k %t %C")
        let report = server.audit()
        #expect(
            report.codes == (version == "9.2" ? [.sshdAddressFatal] : version == "9.9" ? [.sshdAddressUnknown] : []), "\(report.lines())")
    }

    @Test("Where the only options between Match blocks are the same there is nothing to say")
    func sameInMatch() throws {
        let server = try Server()
        try server.sshd("", behind: "Match User bin\nAuthorizedKeysCommandUser nobody\nAuthenticationMethods publickey password\nMatch all")
        #expect(server.audit().findings.isEmpty)
    }

    @Test("Only the policy is looked at where only that is asked for")
    func policyOnly() throws {
        let server = try Server()
        server.places.looksAtMachine = false
        server.places.sshd = nil
        server.places.cacheFolder = "/nonexistent"
        try server.rows("opk-no-such-account a@example.com \(Server.issuer)")
        #expect(server.audit().codes == [.opksshEmail])
    }

    @Test("V66 V67 What a file says cannot move the cursor, turn the writing round or break a line")
    func hostile() throws {
        let server = try Server()
        let nasty = "\u{1B}[31m\u{202E}\u{9B}x"
        try server.rows(
            "bin '\(nasty).example.com' \(Server.issuer)\nbin x\(nasty) y\nbin oidc:a\u{202E}b:c:d \(Server.issuer)\nno\u{202E}body z \(Server.issuer)"
        )
        try server.providers("\(Server.issuer) opk 24h\nhttps://x\u{202E}.example a 24h\n")
        mkdir(server.places.pluginFolder, 0o755)
        try server.write("etc/policy.d/a\n\(nasty).yml", "name: \"\\e[31m\"\n", mode: 0o640, as: "root:nogroup")
        try server.sshd("", command: "/usr/bin/\u{202E}true %u")
        let report = server.audit()
        #expect(report.exitStatus == 2)
        for text in [report.lines().joined(separator: "\n"), report.json.pretty()] {
            #expect(
                !text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || (0x7F...0x9F).contains($0.value) || $0.value == 0x202E })
        }
        #expect(report.lines().allSatisfy { !$0.contains("\n") })
    }

    @Test("A million rows with one fault do not make a million findings, and all of them are counted")
    func many() throws {
        let server = try Server()
        try server.rows(String(repeating: "bin alice.example.com \(Server.issuer) expires=\"2020-01-01T00:00Z\"\n", count: 300))
        let report = server.audit()
        #expect(report.findings.filter { $0.code == .rowTypo }.count == 100 && report.count(.warning) == 300)
        #expect(report.lines().contains { $0.contains("and 200 more of [row-typo]") })
    }

    @Test("JSON has opkssh's members and ours, and can be read back")
    func json() throws {
        let server = try Server()
        try server.rows("bin a@example.com https://other.example\nnonsense")
        try server.home("nobody a@example.com \(Server.issuer)")
        let json = try JSON(parsing: Array(server.audit().json.pretty().utf8))
        #expect(json["ok"] == false && json["exit_status"] == 2 && json["username"] == "root")
        #expect(json["providers_file"]?["file_path"]?.string == Text(server.places.providers) && json["providers_file"]?["error"] == "")
        let rows = try #require(json["system_policy"]?["rows"]?.array)
        #expect(rows.map { $0["status"] } == ["SUCCESS", "ERROR", "ERROR"] && rows.map { $0["line_number"] } == [1, 2, 3])
        #expect(
            rows[0]["principal"] == "bin" && rows[0]["identity_attr"] == "oidc:groups:release"
                && rows[0]["reason"] == "issuer matches provider entry")
        #expect(rows[1]["issuer"] == "https://other.example" && rows[1]["hints"]?.array?.isEmpty == false)
        #expect(json["home_policy"]?.array?.first?["rows"]?.array?.first?["status"] == "SUCCESS")
        #expect(json["openssh_version"]?.string?.hasPrefix("OpenSSH_") == true && json["opk_version"]?.string == Text(Version.text))
        let findings = try #require(json["findings"]?.array)
        #expect(findings.contains { $0["code"] == "row-issuer" && $0["line"] == 2 && $0["severity"] == "error" && $0["remedy"] != .null })
        #expect(json["errors"]?.number?.integer == Int64(findings.filter { $0["severity"] == "error" }.count))
    }

    @Test("Whose permissions are wrong says so in opkssh's member for it")
    func permissionsInJSON() throws {
        let server = try Server()
        chmod(server.places.authID, 0o660)
        let json = server.audit().json
        #expect(
            json["system_policy"]?["perms_error"]?.string?.string.contains("may be written") == true
                && json["system_policy"]?["error"] == "")
    }
}
