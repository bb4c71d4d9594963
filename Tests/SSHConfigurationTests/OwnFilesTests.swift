import ChildProcess
import Foundation
import Identities
import Testing
import Vocabulary

@testable import SSHConfiguration

/// This machine's own.
enum RealSSH {
    static let path = ["/usr/bin/ssh", "/usr/local/bin/ssh"].first(where: FileManager.default.isExecutableFile)
}

@Suite("Our own files for ssh", .enabled(if: RealSSH.path != nil, "ssh is not installed"))
struct OwnFilesTests {
    private static let ssh = RealSSH.path

    @Test("the text is this, word for word")
    func text() throws {
        let files = try OwnFiles(
            configured: [try HostPatternTests.identity("google", "*.example.com", "!old.example.com")],
            given: [try HostPatternTests.identity("work", "git.corp")], program: "/usr/bin/opk")
        #expect(
            String(decoding: files.config, as: UTF8.self) == """
                # Written by `opk setup ssh`, anew each time; `opk setup ssh --undo` takes it away. Do not edit it.
                # For these hosts ssh asks opk first, which logs you in if that is needed, and then offers that identity alone.

                # opk setup ssh --provider work --hosts git.corp
                Match host git.corp exec "/usr/bin/opk login --if-needed work"
                    IdentityFile ~/.ssh/opk/work
                    CertificateFile ~/.ssh/opk/work-cert.pub
                    IdentitiesOnly yes

                Match host *.example.com,!old.example.com !host git.corp exec "/usr/bin/opk login --if-needed google"
                    IdentityFile ~/.ssh/opk/google
                    CertificateFile ~/.ssh/opk/google-cert.pub
                    IdentitiesOnly yes

                """)
        #expect(OwnFiles.given(in: files.config) == files.given)
        #expect(OwnFiles.given(in: files.aliases) == files.given)
        #expect(OwnFiles.isOurs(files.config) && OwnFiles.isOurs(files.aliases))
    }

    @Test("what --hosts said comes before the configuration's word about the same name")
    func givenFirst() throws {
        let files = try OwnFiles(
            configured: [try HostPatternTests.identity("work", "a")], given: [try HostPatternTests.identity("work", "b")],
            program: "/usr/bin/opk")
        #expect(files.identities.map(\.list) == ["b"])
    }

    @Test(
        "a path that shells or ssh read differently is refused",
        arguments: ["opk", "/a'b/opk", "/a\"b/opk", "/a\\b/opk", "/a!/opk", "/a\nb/opk"])
    func paths(path: String) {
        #expect(OwnFiles.quoted(path) == nil)
    }

    /// Programs that note the host, in the place of opk; ssh then runs them as every shell would.
    @Test(
        "ssh runs the program, whatever its path and the shell",
        arguments: ["plain", "with space", "50%off", "%h", "a$b`c", "(x)&;|<>*?[]{}~#"],
        ["/bin/sh", "/bin/bash", "/usr/bin/tcsh", "/usr/bin/zsh", "/usr/bin/fish"])
    func runs(name: String, shell: String) throws {
        guard let ssh = Self.ssh, FileManager.default.isExecutableFile(atPath: shell) else { return }
        try withFolder { folder in
            let place = folder.appendingPathComponent(name)
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: false)
            let program = place.appendingPathComponent("opk").path
            try "#!/bin/sh\necho \"$*\" >> '\(folder.path)/calls'\n".write(toFile: program, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
            let files = try OwnFiles(configured: [try HostPatternTests.identity("work", "*.example.com")], given: [], program: program)
            let config = folder.appendingPathComponent("config")
            try Data(files.config).write(to: config)
            var environment = ProcessEnvironment.inherited()
            environment["SHELL"] = shell
            let answer = try ChildProcess.run(
                ssh, ["-F", config.path, "-G", "a.example.com"], environment: environment, errorOutput: .captured(limit: 4096),
                deadline: 10_000)
            #expect(answer.succeeded, "\(String(decoding: answer.errorOutput, as: UTF8.self))")
            #expect(String(decoding: answer.output, as: UTF8.self).contains("certificatefile ~/.ssh/opk/work-cert.pub\n"))
            #expect(try String(contentsOf: folder.appendingPathComponent("calls"), encoding: .utf8) == "login --if-needed work\n")
        }
    }

    /// `ssh -G` with our files and a person's.
    private func options(_ host: String, _ person: String, _ identities: [HostIdentity], succeeds: Bool = true) throws -> [String] {
        guard let ssh = Self.ssh else { return [] }
        return try withFolder { folder in
            let files = try OwnFiles(configured: identities, given: [], program: succeeds ? "/bin/true" : "/bin/false")
            try Data(files.config).write(to: folder.appendingPathComponent("own"))
            try Data(files.aliases).write(to: folder.appendingPathComponent("aliases"))
            let text = String(decoding: try MarkedLines.adding(to: Array(person.utf8)), as: UTF8.self)
                .replacingOccurrences(of: "~/.ssh/opk/config-aliases", with: folder.path + "/aliases")
                .replacingOccurrences(of: "~/.ssh/opk/config", with: folder.path + "/own")
            let file = folder.appendingPathComponent("config")
            try (identities.isEmpty ? person : text).write(to: file, atomically: true, encoding: .utf8)
            let answer = try ChildProcess.run(
                ssh, ["-F", file.path, "-G", host], environment: .inherited(), errorOutput: .captured(limit: 4096), deadline: 10_000)
            #expect(answer.succeeded, "\(String(decoding: answer.errorOutput, as: UTF8.self))")
            return String(decoding: answer.output, as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }

    private static let person = """
        Host prod
            HostName srv.example.com
            User deploy
            IdentityFile ~/.ssh/mine
        Host elsewhere
            HostName srv.other.org
        Host *.example.com
            Port 2222
        Host *
            IdentityFile ~/.ssh/for-all
        """

    private func two() throws -> [HostIdentity] {
        [try HostPatternTests.identity("work", "*.example.com", "!old.example.com"), try HostPatternTests.identity("all", "*.com", "team")]
    }

    private func logins(_ lines: [String]) -> [String] {
        lines.filter { $0.hasPrefix("certificatefile ") }.map { String($0.dropFirst("certificatefile ~/.ssh/opk/".count)) }
    }

    @Test("a host gets its identity, whether it is called by its name or stands behind another, and the first identity only")
    func whose() throws {
        for (host, login) in [
            ("srv.example.com", "work"), ("SRV.Example.com", "work"), ("prod", "work"), ("old.example.com", "all"), ("www.org.com", "all"),
            ("team", "all"),
        ] {
            let lines = try options(host, Self.person, try two())
            #expect(logins(lines) == ["\(login)-cert.pub"], "\(host)")
            #expect(lines.contains("identitiesonly yes"), "\(host)")
        }
    }

    @Test(
        "any other host is as it was, byte for byte",
        arguments: ["elsewhere", "srv.other.org", "example.com.evil.org", "localhost", "10.1.2.3"])
    func others(host: String) throws {
        #expect(try options(host, Self.person, try two()) == options(host, Self.person, []))
    }

    @Test("a login that fails leaves ssh as it was", arguments: ["srv.example.com", "prod", "team"])
    func failing(host: String) throws {
        #expect(try options(host, Self.person, try two(), succeeds: false) == options(host, Self.person, []))
    }

    @Test("with canonical names and a last pass of the person's own, a host still gets its identity once")
    func lastPass() throws {
        let lines = try options("prod", Self.person + "\nMatch final\n  Compression yes\n", try two())
        #expect(logins(lines) == ["work-cert.pub"])
        #expect(lines.filter { $0 == "identityfile ~/.ssh/opk/work" }.count == 1)
    }

    private func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("opk-own-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }
}
