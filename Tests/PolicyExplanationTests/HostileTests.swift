import Display
import Foundation
import JOSE
import MintingKit
import PolicyExplanation
import Testing
import Vocabulary

@Suite("opk explain: what is hostile") struct HostileTests {
    /// Escape sequences, a line break, and the characters that turn the direction of writing.
    static let evil: Text = "x\u{1B}[2J\ny\u{202E}\"'\\;$(id)"

    @Test("nothing that a token or a file says reaches the terminal as it is")
    func escaped() throws {
        let place = try Place()
        try place.write(
            "auth_id", "root 'x\u{1B}[2J' \(Place.issuer.string)\nroot bob@example.com \(Place.issuer.string) reason=\"\u{1B}[1m\"\n")
        let login = try MintedLogin().with {
            $0.claims["sub"] = .string(HostileTests.evil)
            $0.claims["email"] = .string(Text("a@" + HostileTests.evil.string))
            $0.claims["groups"] = .array([.string(HostileTests.evil)])
            $0.rewriteCertificate = { $0.keyID = HostileTests.evil.utf8 }
        }
        try place.keep(login.keys)
        for explanation in [
            try place.explain(login), try place.explain(login.with { $0.claims["iss"] = .string(HostileTests.evil) }),
            try place.explain(login, as: "ro\u{1B}ot"),
        ] {
            let text = explanation.textLines.joined()
            #expect(!text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F || $0.value == 0x202E }, "\(text.debugDescription)")
            #expect(text.contains("\\u{1b}"))
            let json = explanation.json.pretty()
            #expect(!json.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || $0.value == 0x202E })
            #expect(throws: Never.self) { try JSON(parsing: Array(json.utf8)) }
            // No line break and no control character in what is to be written or run.
            for change in explanation.changes {
                if case .addRow(_, let row, _) = change.action { #expect(!row.utf8.contains { $0 < 0x20 }) }
            }
        }
    }

    @Test("bytes of any kind for a certificate are explained as the verifier refuses them")
    func rubbish() throws {
        let place = try Place()
        for text in ["ssh-rsa AAAA", "AAAA", "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29t", "x !!!!"]
        {
            let request = try CertificateArgument.request(for: "root", text)
            let explanation = Examination(place.policy, Outside(), at: Place.now, from: nil).explain(request)
            guard case .refused = explanation.verdict else {
                Issue.record("\(text)")
                continue
            }
            #expect(!explanation.textLines.isEmpty)
        }
        #expect(throws: ExplainError.self) { try CertificateArgument.request(for: "root", "/nowhere/at/all.pub") }
    }
}
