import TestSupport
import Testing
import Vocabulary

@testable import SSHConfiguration

@Suite("Our lines in the person's ssh_config")
struct MarkedLinesTests {
    /// Files as people have them, and as nobody has.
    static let files: [String?] = [
        nil, "", "\n", "\n\n\n", " ", "Host a", "Host a\n", "Host a\n  User b", "Host a\r\n  User b\r\n", "Host a\r\n  User b",
        "Host a\n  User b\r\n", "Host a\r", "# nothing but a comment", "Host *\n  IdentitiesOnly no\n\nHost b\n\tHostName c\n\n",
        "Include config.d/*\nMatch final host *.x\n", "Host \"quoted name\" # with a comment\n", "\u{1F511}\n", "host=a\nuser = b\n",
        "Match exec \"test -f /x\"\n User y\n\u{C}\n", String(repeating: "Host a\n", count: 5000), "Host a \\\n b\n",
        "# >>> conda initialize >>>\n# <<< conda initialize <<<\n", "#>>> opk\n",
    ]

    static func add(_ text: String?) throws -> [UInt8] { try MarkedLines.adding(to: text.map { Array($0.utf8) }) }

    @Test("are taken out again and leave every byte as it was", arguments: files.indices)
    func undo(index: Int) throws {
        let text = Self.files[index]
        #expect(try MarkedLines.removing(from: Self.add(text)) == text.map { Array($0.utf8) })
    }

    @Test("are there once, however often they are put there", arguments: files.indices)
    func once(index: Int) throws {
        let text = Self.files[index]
        let once = try Self.add(text)
        #expect(try MarkedLines.adding(to: once) == once)
        #expect(try MarkedLines.removing(from: try MarkedLines.adding(to: once)) == text.map { Array($0.utf8) })
    }

    @Test("do both for ten thousand files of arbitrary bytes")
    func arbitrary() throws {
        var random = Seeded(state: 5)
        let pieces = [
            "\n", "\r\n", "\r", "Host a", "  User b", "# >>> x >>>", "# <<< opk", "Match all", "Include ~/.ssh/opk/config", "\u{FF}", " ",
        ]
        for _ in 0..<10_000 {
            let text = Array(
                (0..<Int.random(in: 0..<12, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined().utf8)
            let added = try MarkedLines.adding(to: text)
            #expect(try MarkedLines.removing(from: added) == text)
            #expect(try MarkedLines.adding(to: added) == added)
        }
    }

    @Test("come before everything and after everything")
    func places() throws {
        let lines = String(decoding: try Self.add("Host a\n  User b\n"), as: UTF8.self).split(separator: "\n")
        #expect(lines[1] == "Include ~/.ssh/opk/config")
        #expect(
            lines.suffix(4) == ["Match all", "Include ~/.ssh/opk/config-aliases", "# Below this line: for every host.", "# <<< opk <<<"])
    }

    @Test("end as the file's own lines end")
    func lineBreaks() throws {
        let dos = String(decoding: try Self.add("Host a\r\nUser b"), as: UTF8.self).utf8
        #expect(dos.filter { $0 == 0x0A }.count == dos.filter { $0 == 0x0D }.count)
        #expect(!(try Self.add("Host a\nUser b")).contains(0x0D))
    }

    @Test("are moved back to their places where somebody has put something before or after them")
    func moved() throws {
        let text = "Host new\n" + String(decoding: try Self.add("Host a\n  User b"), as: UTF8.self) + "Host later\n  User c\n"
        let plain = "Host new\nHost a\n  User b\nHost later\n  User c\n"
        #expect(try MarkedLines.removing(from: Array(text.utf8)) == Array(plain.utf8))
        #expect(try MarkedLines.adding(to: Array(text.utf8)) == Self.add(plain))
    }

    @Test("survive an editor that changes the space around them")
    func editors() throws {
        let text = String(decoding: try Self.add("Host a\n"), as: UTF8.self)
        let dos = text.utf8.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }
        #expect(try MarkedLines.removing(from: dos) == Array("Host a\r\n".utf8))
        let indented = text.split(separator: "\n").map { "\t\($0)  " }.joined(separator: "\n")
        #expect(try MarkedLines.removing(from: Array(indented.utf8)) == Array("\tHost a  \n".utf8))
    }

    @Test("a file that opk made goes, unless somebody has written in it since")
    func made() throws {
        let made = try Self.add(nil)
        #expect(try MarkedLines.removing(from: made) == nil)
        #expect(try MarkedLines.removing(from: made + Array("Host a\n".utf8)) == Array("Host a\n".utf8))
    }

    @Test("marks without their other half, or with other lines between them, are an error that names the line")
    func disorder() throws {
        let lines = String(decoding: try Self.add("Host a\n"), as: UTF8.self).split(separator: "\n").map { "\($0)\n" }
        for left in [0, 1, 2, 4, 5, 6, 7, 8] {
            var some = lines
            some.remove(at: left)
            #expect(throws: MarkedLines.Disorder.self) { try MarkedLines.removing(from: Array(some.joined().utf8)) }
        }
        var more = lines
        more.insert("Host between\n", at: 2)
        #expect(throws: MarkedLines.Disorder(line: 3)) { try MarkedLines.adding(to: Array(more.joined().utf8)) }
    }
}
