import JOSE
import LibCrypto
import MintingKit
import SSHKeys
import Testing
import Vocabulary

@testable import PKToken

// What the tables of this target have in common.

enum SSHCertificateReader {
    /// Steps 1 to 4.
    static func boundToken(_ login: MintedLogin) throws -> BoundToken {
        try SSHCertificate(parsing: try login.certificate()).selfSigned(at: login.now).token()
    }
}

func number(_ seconds: Int64) -> JSON { .number(JSONNumber(seconds)) }

func raw(_ text: String) -> JSON {
    (try? JSON(parsing: Array(text.utf8))) ?? nil
}

func claim(_ about: String, _ code: Refusal.Code?, _ name: Text, _ value: JSON?) -> LoginCase {
    LoginCase(about, code) { $0.claims[name] = value }
}

func rewritten(_ about: String, _ code: Refusal.Code?, _ old: String, _ new: String) -> LoginCase {
    LoginCase(about, code) { login in
        let text = String(decoding: login.claimsBytes, as: UTF8.self)
        login.claimsText = Array(text.replacing(old, with: new).utf8)
    }
}

/// Runs a table, and makes sure that the login which it changes is good.
func check(_ table: [LoginCase], _ index: Int, _ login: MintedLogin) throws {
    #expect(try login.refusal() == nil, "the unchanged login")
    let code = try table[index].run(from: login)
    #expect(code == table[index].code, "\(table[index])")
}

func row(
    _ issuer: Text = MintedLogin.issuer, _ client: Text = MintedLogin.clientID, _ expiry: ExpiryPolicy = .never,
    _ options: ProviderOptions = []
)
    -> ProviderRow
{
    ProviderRow(issuer: issuer, clientID: client, expiry: expiry, options: options)
}
