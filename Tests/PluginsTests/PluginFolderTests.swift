import Foundation
import SafeFiles
import Testing
import Vocabulary

@testable import Policy

@Suite struct PluginFolderTests {
    /// What is wrong with the one file of policy.d that has this text; nil where nothing is.
    func problem(_ text: String, mode: mode_t = 0o640) -> String? {
        let scratch = Scratch()
        scratch.plugin("a.yml", text, mode: mode)
        let folder = scratch.read()
        #expect(folder.plugins.count + folder.problems.count == 1)
        return folder.problems.first?.text
    }

    func plugin(_ text: String) throws -> Plugin { try Plugin(file: "a.yml", parsing: Array(text.utf8)) }

    @Test("the example of opkssh's manual is read as it is")
    func example() throws {
        let plugin = try plugin("name: Match linux username to email username\ncommand: /etc/opk/match-email.sh example.com\n")
        #expect(plugin.name == "Match linux username to email username")
        #expect(plugin.words == ["/etc/opk/match-email.sh", "example.com"])
        #expect(plugin.timeout == TimeSpan(seconds: 2))
    }

    @Test("a byte order mark, CRLF, comments and quotes are tolerated; a timeout is from 1 s to 6 s")
    func forms() throws {
        let plugin = try plugin("\u{FEFF}---\r\nname: 'a'\r\n# why\r\ncommand: \"/bin/x 'a b'\"\r\ntimeout: 6s\r\n")
        #expect(plugin.words == ["/bin/x", "a b"] && plugin.timeout == TimeSpan(seconds: 6))
        for wrong in ["0s", "7s", "1m", "2", "", "-1s", "1h", "[1s]", "2 s"] {
            #expect(
                problem("name: a\ncommand: /bin/x\ntimeout: \(wrong)\n")?.contains("timeout is not a time from 1s to 6s") == true,
                "\(wrong)")
        }
    }

    @Test(
        "a file that does not say exactly what it must costs its own plugin",
        arguments: [
            ("", "the file is empty"), ("# nothing\n", "the file is empty"), ("- name: a\n", "not a list of KEY: VALUE"),
            ("name: a\n", "command is missing"), ("command: /bin/x\n", "name is missing"),
            ("name:\ncommand: /bin/x\n", "name is not a text"),
            ("name: ''\ncommand: /bin/x\n", "name is not a text"), ("name: a\ncommand:\n", "command is not a text"),
            ("name: a\ncommand: [/bin/x]\n", "command is not a text"), ("name: a\ncommand: ' '\n", "command is empty"),
            ("name: a\ncommand: bin/x\n", "not an absolute path"), ("name: a\ncommand: ./x\n", "not an absolute path"),
            ("name: a\ncommand: x /bin/x\n", "not an absolute path"), ("name: a\ncommand: '\"\" /bin/x'\n", "not an absolute path"),
            ("name: a\ncommand: \"/bin/x 'a\"\n", "is not closed"), ("name: a\ncommand: '/bin/x \"a'\n", "is not closed"),
            ("name: a\ncommand: /bin/x \\\n", "ends with a backslash"),
            ("name: a\ncommand: /bin/x\nonly_for: [root]\n", "only_for is not a key"),
            ("name: a\ncommand: /bin/x\nName: b\n", "Name is not a key"),
            ("name: a\nname: b\ncommand: /bin/x\n", "twice"), ("name: &a b\ncommand: /bin/x\n", "anchors"),
            ("name: a\ncommand: /bin/x\n---\nname: b\n", "second document"), ("name: a\ncommand: \"/bin/x\\0\"\n", "NUL"), ("{", "YAML"),
            ("name: \(String(repeating: "a", count: 257))\ncommand: /bin/x\n", "over 256 bytes"),
            ("name: a\ncommand: /bin/x \(String(repeating: "a", count: 4096))\n", "over 4096 bytes"),
            ("name: a\ncommand: /bin/x\(String(repeating: " a", count: 64))\n", "more than 64 words"),
            ("name: a\ncommand: /bin/x\n#\(String(repeating: "a", count: 16 << 10))\n", "over 16384 bytes"),
        ])
    func malformed(text: String, words: String) {
        #expect(problem(text)?.contains(words) == true, "\(problem(text) ?? "it is used")")
    }

    @Test("V66 a file that others may write, a link, a folder, a FIFO or one in a folder that others may write is not used")
    func unsafeFiles() throws {
        let good = "name: a\ncommand: /bin/x\n"
        #expect(problem(good) == nil)
        for mode: mode_t in [0o600, 0o400, 0o644, 0o755] { #expect(problem(good, mode: mode) == nil) }
        for mode: mode_t in [0o660, 0o642, 0o666] { #expect(problem(good, mode: mode)?.contains("may be written") == true) }
        let scratch = Scratch()
        let target = scratch.put("elsewhere.yml", Array(good.utf8))
        try FileManager.default.createSymbolicLink(atPath: scratch.path("policy.d/a.yml"), withDestinationPath: target)
        mkdir(scratch.path("policy.d/b.yml"), 0o755)
        mkfifo(scratch.path("policy.d/c.yml"), 0o640)
        link(target, scratch.path("policy.d/d.yml"))
        scratch.put("policy.d/e.yml", Array((good + "\0").utf8))
        scratch.plugin("f.yml", good)
        let folder = scratch.read()
        #expect(folder.plugins.map(\.file) == ["f.yml"])
        #expect(folder.problems.map(\.file) == ["a.yml", "b.yml", "c.yml", "d.yml", "e.yml"])
        chmod(scratch.path("policy.d"), 0o777)
        #expect(scratch.read().plugins.isEmpty && scratch.read().problems.count == 6)
    }

    @Test("the files are in the order of their names by bytes, those that do not end in .yml are no plugins")
    func order() {
        let scratch = Scratch()
        for name in ["b.yml", "a.yml", "B.yml", "10.yml", "9.yml", "é.yml", "a.yaml", "a.yml~", ".yml", "a.YML", "README"] {
            scratch.plugin(name, "name: a\ncommand: /bin/x\n")
        }
        #expect(scratch.read().plugins.map(\.file) == ["10.yml", "9.yml", "B.yml", "a.yml", "b.yml", "é.yml"])
        #expect(scratch.read().problems.isEmpty)
    }

    @Test("no folder and an empty one have no plugins; one with very many files uses 32, or none")
    func bounds() {
        let scratch = Scratch()
        #expect(PluginFolder.read(scratch.path("none"), trust: scratch.trust).isEmpty)
        #expect(scratch.read().isEmpty)
        for index in 0..<40 { scratch.plugin("\(100 + index).yml", "name: a\ncommand: /bin/x\n") }
        #expect(scratch.read().plugins.count == 32 && scratch.read().problems.map(\.file) == ["132.yml"])
        for index in 0..<1000 { scratch.plugin("x\(index)", "") }
        #expect(scratch.read().plugins.isEmpty && scratch.read().problems.count == 1)
        #expect(PluginFolder.read(scratch.put("file", []), trust: scratch.trust).problems.count == 1)
    }

    @Test(
        "the command is cut as go-shellquote cuts it",
        arguments: [
            ("/a b  c\td", ["/a", "b", "c", "d"]), ("/a 'b c' \"d e\" f\\ g", ["/a", "b c", "d e", "f g"]),
            ("/a'b'\"c\"\\d", ["/abcd"]), ("/a '' \"\"", ["/a", "", ""]), (#"/a "\$ \` \" \\ \n""#, ["/a", #"$ ` " \ \n"#]),
            (#"/a '\$"'"#, ["/a", #"\$""#]),
            ("/a $HOME `id` $(id) ; | & > < * ~ #x", ["/a", "$HOME", "`id`", "$(id)", ";", "|", "&", ">", "<", "*", "~", "#x"]),
            ("/a\nb", ["/a", "b"]), ("/a \\\n b", ["/a", "b"]), ("/a b\\\nc \"d\\\ne\"", ["/a", "bc", "de"]), ("  /a  ", ["/a"]),
            ("/a ü", ["/a", "ü"]),
        ])
    func words(command: String, wanted: [String]) throws {
        #expect(try CommandWords.split(Text(command)) == wanted.map { Text($0) })
    }
}

@Suite("TrustedProgram", .enabled(if: Scratch.isUsable, "the checkout lies in a folder that others may write"))
struct TrustedProgramTests {
    func fault(_ path: String, _ trust: FileTrust) -> UntrustedProgram.Fault? {
        do {
            try TrustedProgram.check(path, trust: trust)
            return nil
        } catch {
            #expect(!"\(error)".isEmpty)
            return error.fault
        }
    }

    @Test("a program's mode is 0755 or 0555, as opkssh wants it, and no other")
    func modes() {
        let scratch = Scratch()
        for mode: mode_t in [0o755, 0o555] { #expect(fault(scratch.program("a\(mode)", "", mode: mode), scratch.trust) == nil) }
        for mode: mode_t in [0o777, 0o775, 0o757, 0o700, 0o750, 0o644, 0o500] {
            #expect(fault(scratch.program("a\(mode)", "", mode: mode), scratch.trust) == .mode(UInt32(mode)))
        }
    }

    @Test("V66 no folder on the way may be written by others, however far up")
    func folders() {
        let scratch = Scratch()
        mkdir(scratch.path("x"), 0o755)
        mkdir(scratch.path("x/y"), 0o755)
        let program = scratch.program("x/y/p", "")
        #expect(fault(program, scratch.trust) == nil)
        for folder in ["x", "x/y"] {
            for mode: mode_t in [0o775, 0o757, 0o1777] {
                chmod(scratch.path(folder), mode)
                #expect(fault(program, scratch.trust) == .writableByOthers(mode: UInt32(mode & 0o777)))
            }
            chmod(scratch.path(folder), 0o755)
        }
        #expect(fault("/tmp/p", scratch.trust) == .writableByOthers(mode: 0o777))
        #expect(fault(scratch.path("x"), scratch.trust) == .notARegularFile)
        #expect(fault(program + "/z", scratch.trust) == .notAFolder)
        #expect(fault(scratch.path("none"), scratch.trust) == .unreadable(errno: ENOENT))
        for wrong in ["p", "./p", "", " /p"] { #expect(fault(wrong, scratch.trust) == .notAbsolute) }
        #expect(fault("/a\0", scratch.trust) == .containsNUL)
        #expect(fault("/", scratch.trust) == .notARegularFile)
        #expect(fault(program + "/..", scratch.trust) != nil)
        #expect(fault(scratch.path("x/../x/./y//p"), scratch.trust) == nil)
    }

    @Test("a link is followed only where what it leads to goes through the same checks (opkssh looks at the link's owner alone)")
    func links() throws {
        let scratch = Scratch()
        func link(_ name: String, to target: String) throws -> String {
            try FileManager.default.createSymbolicLink(atPath: scratch.path(name), withDestinationPath: target)
            return scratch.path(name)
        }
        mkdir(scratch.path("x"), 0o755)
        mkdir(scratch.path("open"), 0o755)
        let good = scratch.program("x/p", "")
        scratch.program("open/p", "")
        chmod(scratch.path("open"), 0o777)
        #expect(fault(try link("absolute", to: good), scratch.trust) == nil)
        #expect(fault(try link("relative", to: "x/../x/p"), scratch.trust) == nil)
        #expect(fault(try link("folder", to: "x") + "/p", scratch.trust) == nil)
        #expect(fault(try link("chain", to: "absolute"), scratch.trust) == nil)
        #expect(fault(try link("bad", to: "open/p"), scratch.trust) == .writableByOthers(mode: 0o777))
        #expect(fault(try link("mode", to: scratch.program("m", "", mode: 0o775)), scratch.trust) == .mode(0o775))
        #expect(fault(try link("loop", to: "loop"), scratch.trust) == .tooManyLinks)
        #expect(fault(try link("dangling", to: "nowhere"), scratch.trust) == .unreadable(errno: ENOENT))
        #expect(fault(try link("root", to: "/"), scratch.trust) == .notARegularFile)
    }

    @Test("a program, a link or a folder of somebody else's is not trusted", .enabled(if: getuid() == 0, "only root can give files away"))
    func owners() throws {
        let scratch = Scratch()
        mkdir(scratch.path("x"), 0o755)
        let program = scratch.program("x/p", "")
        try FileManager.default.createSymbolicLink(atPath: scratch.path("l"), withDestinationPath: program)
        #expect(fault(scratch.path("l"), .rootOnly) == nil)
        lchown(scratch.path("l"), 1234, 0)
        #expect(fault(scratch.path("l"), .rootOnly) == .owner(1234))
        #expect(fault(scratch.path("l"), .rootOrUser(1234)) == nil)
        chown(program, 1234, 0)
        #expect(fault(program, .rootOnly) == .owner(1234))
        chown(program, 0, 0)
        chown(scratch.path("x"), 1234, 0)
        #expect(fault(program, .rootOnly) == .owner(1234))
        #expect(fault(program, .rootOrUser(1234)) == nil)
    }

    @Test("programs of the system are trusted, over /bin and other links of root's")
    func system() {
        for path in ["/bin/sh", "/usr/bin/env"] where FileManager.default.fileExists(atPath: path) {
            #expect(fault(path, .rootOnly) == nil)
        }
    }
}
