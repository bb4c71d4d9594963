import Testing

@testable import ServerSetup

@Suite("Where our lines for sshd stand")
struct DropInTests {
    struct Case: CustomStringConvertible, Sendable {
        let description: String
        /// FOLDER stands for the folder of drop-ins.
        let main: String
        var files: [String: String] = [:]
        let name: String
        var includes = false
    }

    private static let asks = "AuthorizedKeysCommand /usr/bin/theirs\nAuthorizedKeysCommandUser nobody\n"

    private static let cases = [
        Case(description: "nobody is asked", main: "Include FOLDER/*.conf\nPort 22\n", name: "60-opk.conf"),
        Case(
            description: "somebody after the usual number", main: "Include FOLDER/*.conf\n", files: ["70-theirs.conf": asks],
            name: "60-opk.conf"),
        Case(description: "somebody before it", main: "Include FOLDER/*.conf\n", files: ["50-theirs.conf": asks], name: "05-opk.conf"),
        Case(
            description: "opkssh's own file, which sorts before ours", main: "Include FOLDER/*.conf\n", files: ["60-opk-ssh.conf": asks],
            name: "05-opk.conf"),
        Case(description: "somebody early", main: "Include FOLDER/*.conf\n", files: ["02-theirs.conf": asks], name: "01-opk.conf"),
        Case(description: "somebody at 00", main: "Include FOLDER/*.conf\n", files: ["00-theirs.conf": asks], name: "00-opk.conf"),
        Case(
            description: "somebody before every number: sshd's own file includes ours first", main: "Include FOLDER/*.conf\n",
            files: ["!theirs.conf": asks], name: "00-000-opk.conf", includes: true),
        Case(
            description: "a user alone counts as well", main: "Include FOLDER/*.conf\n",
            files: ["10-user.conf": "AuthorizedKeysCommandUser nobody\n"], name: "05-opk.conf"),
        Case(
            description: "in a Match block only", main: "Include FOLDER/*.conf\n",
            files: ["10-match.conf": "Match User bob\n" + asks], name: "60-opk.conf"),
        Case(description: "behind the folder, in sshd's own file", main: "Include FOLDER/*.conf\n" + asks, name: "60-opk.conf"),
        Case(description: "before it", main: asks + "Include FOLDER/*.conf\n", name: "60-opk.conf", includes: true),
        Case(description: "no folder is included", main: "Port 22\n", name: "60-opk.conf", includes: true),
        Case(
            description: "it is included in a Match block", main: "Match User bob\nInclude FOLDER/*.conf\n", name: "60-opk.conf",
            includes: true),
        Case(
            description: "ours is there and another's came before it", main: "Include FOLDER/*.conf\n",
            files: ["60-opk.conf": "AuthorizedKeysCommand /usr/libexec/opk/opk-verify -- %u %k %t\n", "10-theirs.conf": asks],
            name: "05-opk.conf"),
    ]

    @Test("the smallest change that wins is chosen", arguments: cases)
    func chosen(example: Case) throws {
        let scratch = try Scratch()
        try scratch.write(example.main.replacing("FOLDER", with: scratch.places.dropInFolder), to: scratch.places.sshdConfig)
        for (name, text) in example.files { try scratch.write(text, to: scratch.places.dropInFolder + "/" + name) }
        let chosen = DropIn.chosen(scratch.places, without: [])
        #expect(chosen.path == scratch.places.dropInFolder + "/" + example.name)
        #expect(chosen.needsInclude == example.includes)
    }

    @Test("the lines of another command are carried over in sshd's own words")
    func other() throws {
        let bare = try #require(OtherCommand(command: "/usr/bin/sss_ssh_authorizedkeys", user: "nobody"))
        #expect(bare.chain == ["--then", "/usr/bin/sss_ssh_authorizedkeys", "--then-word", "%u"])
        let words = try #require(OtherCommand(command: "/opt/aws/bin/eic_run_authorized_keys %u %f", user: "ec2-instance-connect"))
        #expect(words.chain == ["--then", words.program, "--then-word", "%u", "--then-word", "%f"])
        #expect(words.obstacle == nil && !words.isOpkssh)
        #expect(OtherCommand(command: "/usr/bin/a \"two words\"", user: "nobody")?.obstacle != nil)
        #expect(OtherCommand(command: "/usr/bin/a $HOME", user: "nobody")?.obstacle != nil)
        #expect(OtherCommand(command: "relative", user: "nobody") == nil)
        #expect(OtherCommand(command: "/usr/local/bin/opkssh verify %u %k %t", user: "x")?.isOpkssh == true)
        #expect(OtherCommand.expand("--user=%u:%%:%h:%q", ["u": "bob", "h": "/home/bob"]) == "--user=bob:%:/home/bob:%q")
    }
}
