import JOSE
import Testing
import Vocabulary

@testable import Policy

/// Lists of a few names and of many are compared in two ways, which must say the same.
@Suite("Names that two lists have in common")
struct CommonNameTests {
    static let sizes = [1, 16, 17, 400]

    static func names(_ count: Int, _ prefix: String) -> [Text] { (0..<count).map { Text("\(prefix)-\($0)") } }

    @Test("however many names there are, a common one is found, and only a common one", arguments: sizes, sizes)
    func common(_ wanted: Int, _ has: Int) {
        let (list, others) = (Self.names(wanted, "List"), Self.names(has, "other"))
        #expect(CommonName.first(of: list, in: others) == nil && CommonName.firstIgnoringCase(of: list, in: others) == nil)
        for name in [list[0], list[wanted - 1]] {
            #expect(CommonName.first(of: list, in: others + [name]) == name)
            #expect(CommonName.firstIgnoringCase(of: list, in: others + [Text("lIST" + name.string.dropFirst(4))]) == name)
            #expect(CommonName.first(of: list, in: others + [Text("lIST" + name.string.dropFirst(4))]) == nil)
        }
        // U+212A, the sign of kelvin, is no k.
        #expect(CommonName.firstIgnoringCase(of: list + ["k"], in: others + ["\u{212A}"]) == nil)
    }

    @Test("no list has anything in common with an empty one")
    func empty() {
        #expect(CommonName.first(of: [], in: ["a"]) == nil && CommonName.first(of: ["a"], in: []) == nil)
        #expect(CommonName.firstIgnoringCase(of: [], in: ["a"]) == nil && CommonName.firstIgnoringCase(of: ["a"], in: []) == nil)
    }

    @Test("a hundred thousand groups against a hundred thousand denied ones are no hang", .timeLimit(.minutes(1)))
    func huge() throws {
        let groups = JSON.array(Self.names(100_000, "mine").map { .string($0) } + ["Gone-77777"])
        let config = "deny_groups:\n" + Self.names(30_000, "gone").map { "- \($0)\n" }.joined()
        #expect(
            try Question {
                $0.claims = ["groups": groups]; $0.config = config
            }.verdict().isAdmitted)
        #expect(
            try Question {
                $0.claims = ["groups": groups]; $0.config = config + "- GONE-77777\n"
            }.verdict().code == .denied)
    }
}
