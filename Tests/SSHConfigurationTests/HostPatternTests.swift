import ChildProcess
import Foundation
import Identities
import Testing
import Vocabulary

@testable import SSHConfiguration

@Suite("Patterns of hosts")
struct HostPatternTests {
    static func identity(_ name: Text, _ patterns: Text...) throws -> HostIdentity {
        try HostIdentity(name: try #require(IdentityName(name)), patterns: patterns)
    }

    @Test(
        "that ssh_config could take for anything else are none",
        arguments: [
            "", "!", "a b", "a,b", "a\nb", "a\"b", "a'b", "a\\b", "#a", "a=b", "!!a", "b\u{FC}cher", "a\tb", "$(x)", "a;b", "`x`", "-",
            "-oProxyCommand", "!-a",
        ])
    func malformed(pattern: String) {
        #expect(HostPattern(Text(pattern)) == nil)
    }

    @Test(
        "that are as ssh takes them",
        arguments: ["a", "*", "?", "*.example.com", "!old.example.com", "10.1.*", "fe80::1%eth0", "A-b_c", "team/prod"])
    func wellFormed(pattern: String) {
        #expect(HostPattern(Text(pattern)) != nil)
    }

    @Test("need one that is not negated")
    func onlyNegated() {
        #expect(throws: SetupError.self) { try Self.identity("work", "!a", "!b") }
    }

    @Test("a login called as a file of ours cannot be set up", arguments: ["config", "config-aliases"])
    func reserved(name: String) {
        #expect(throws: SetupError.self) { try Self.identity(Text(name), "a") }
    }

    @Test(
        "fit what ssh says that they fit, for names and patterns of all kinds",
        .enabled(if: RealSSH.path != nil, "ssh is not installed"))
    func asSSH() throws {
        let ssh = try #require(RealSSH.path)
        let lists: [[Text]] = [
            ["*"], ["*.example.com"], ["a?c"], ["a*c*e"], ["*a*b"], ["HOST"], ["*", "!b*"], ["!b*", "*"], ["10.1.*", "!10.1.2.?"],
            ["**", "!?"], ["a*a*a*b"],
        ]
        let names = [
            "a", "abc", "ac", "abcde", "ace", "xaxb", "xaxbx", "host", "Host", "b", "bc", "10.1.2.3", "10.1.2.33", "www.example.com",
            "example.com", "aaaab", "aaaa",
        ]
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("opk-patterns-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("config")
        for patterns in lists {
            let identity = try HostIdentity(name: try #require(IdentityName("work")), patterns: patterns)
            try "Match host \(identity.list)\n  User fits\n".write(to: file, atomically: true, encoding: .utf8)
            for name in names {
                let answer = try ChildProcess.run(ssh, ["-F", file.path, "-G", name], environment: .inherited(), deadline: 10_000)
                let fits = String(decoding: answer.output, as: UTF8.self).contains("user fits\n")
                #expect(identity.isFor(Text(name)) == fits, "\(patterns) \(name)")
            }
        }
    }

    @Test("give an example that fits them", arguments: ["*.example.com", "a?c", "plain", "*", "x*y*z?"])
    func examples(pattern: String) throws {
        let identity = try Self.identity("work", Text(pattern), "!other")
        #expect(identity.isFor(try #require(identity.example)))
    }
}
