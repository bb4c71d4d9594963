import Foundation
import MintingKit
import SSHKeys
import TestSupport
import Testing
import Vocabulary

@Suite("A principal can be written between quotes and onto a command line")
struct PrincipalTests {
    static let good = [
        "root", "a", "_", "_apt", "alice.smith_01", "bob+test@example.com", "web-admin", "WORKSTATION1$", "opkssh-wildcard", "0", "a-",
        "a.", "a@",
        String(repeating: "a", count: 128), String(repeating: "a", count: 128) + "$",
    ]

    static let bad = [
        "", "$", "$$", "a$$", "a$b", "-v", "--config=/tmp/x", ".hidden", "..", "../x", "+a", "@a", "a b", " a", "a ", "root\n", "\nroot",
        "a\rb", "a\tb", "a\"b", "a'b",
        "a\\", "a,b", "a*", "a?", "!a", "a/b", "$(id)", "`id`", "a;b", "a|b", "a&b", "a<b", "a>b", "a=b", "a:b", "a#b", "a%b", "a\0", "\0",
        "alic\u{E9}", "\u{FF41}", "a\u{200B}",
        "a\u{202E}", String(repeating: "a", count: 129), String(repeating: "a", count: 129) + "$", String(repeating: "a", count: 4096),
    ]

    @Test("Letters, digits and _ begin it; . _ + @ - go on; one $ may end it; at most 128 (V52, V56)", arguments: good)
    func accepted(_ name: String) {
        #expect(Principal(Text(name))?.text == Text(name))
    }

    @Test("Anything else is none (V52, V56)", arguments: bad)
    func refused(_ name: String) {
        #expect(Principal(Text(name)) == nil)
    }

    @Test("Of all single bytes exactly the letters, the digits and _ are a principal (V52)")
    func everyByte() {
        let accepted = (UInt8.min...0x7F).filter { Principal(Text(validating: [$0]) ?? "") != nil }
        #expect(accepted == Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz".utf8))
        let second = (UInt8.min...0x7F).filter { Principal(Text(validating: [0x61, $0]) ?? "") != nil }
        #expect(second == Array("$+-.0123456789@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz".utf8))
    }

    @Test("opkssh's thirty lists of principals end as opkssh says (V52)", .enabled(if: SharedData.isThere, SharedData.absence))
    func opkssh() throws {
        let root = try #require(try SharedData.json("opkssh/unsafe_principals.json") as? [String: Any])
        let cases = try #require(root["cases"] as? [[String: Any]])
        #expect(cases.count == 30)
        for entry in cases {
            let names = entry["principals"] as? [String] ?? []
            var form = CertificateForm(for: TestKeys.ed25519.publicKey, token: [1])
            form.principals = names.map { Array($0.utf8) }
            let certificate = try SSHCertificate(parsing: try form.signed(by: TestKeys.ed25519))
            let accepted = (try? certificate.selfSigned(at: MintedLogin.now)) != nil
            #expect(accepted == (entry["expect"] as? String == "accept"), "\(entry["name"] ?? "")")
        }
    }

    @Test(
        "One bad principal among good ones, or one that is not UTF-8, refuses the certificate (V52)",
        arguments: [[UInt8]]([[0xFF], [0x61, 0x0A], [], [0xC3]]))
    func oneBad(_ name: [UInt8]) throws {
        var form = CertificateForm(for: TestKeys.ed25519.publicKey, token: [1])
        form.principals = [Array("alice".utf8), name]
        let certificate = try SSHCertificate(parsing: try form.signed(by: TestKeys.ed25519))
        #expect(throws: Refusal(.unsafePrincipal)) { try certificate.selfSigned(at: MintedLogin.now) }
    }
}
