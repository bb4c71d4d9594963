import JOSE
import LibCrypto
import MintingKit
import SSHKeys
import Testing
import Vocabulary

@testable import PKToken

@Suite("What is known once everything holds")
struct IdentityTests {
    @Test("Issuer, subject, email, claims, row and the access token come out")
    func fields() throws {
        let identity = try MintedLogin().with {
            $0.rewriteCertificate = { $0.extensions.insert(.init("openpubkey-act", value: Array("secret".utf8)), at: 0) }
        }.verified()
        #expect(identity.issuer == MintedLogin.issuer && identity.subject == "alice-1" && identity.email == "alice@example.com")
        #expect(identity.claims["email_verified"] == true)
        #expect(identity.row.line == 1)
        #expect(identity.issuedAt == UnixTime(seconds: MintedLogin.now.seconds - 60))
        #expect(identity.accessToken == Secret(Array("secret".utf8)))
        #expect(identity.certificate.key == TestKeys.ed25519.publicKey)
    }

    @Test("No access token, or an empty one, is none", arguments: [nil, [], sshString([])] as [[UInt8]?])
    func noAccessToken(_ packed: [UInt8]?) throws {
        let identity = try MintedLogin().with { login in
            login.rewriteCertificate = { form in
                if let packed { form.extensions.insert(.init("openpubkey-act", packed: packed), at: 0) }
            }
        }.verified()
        #expect(identity.accessToken == nil)
    }

    static let emails: [(email: JSON?, verified: JSON?, expected: EmailClaim.Verification?)] = [
        ("a@b", true, .verified), ("a@b", "true", .verified), ("a@b", nil, .absent), ("a@b", false, .unverified),
        ("a@b", "false", .unverified),
        ("a@b", 1, .unverified), ("a@b", .null, .unverified), ("a@b", "TRUE", .unverified), ("a@b", [true], .unverified),
        (nil, true, nil), ("", true, nil), (["a@b"], true, nil), (.null, true, nil), (1, true, nil),
    ]

    @Test("An email is a string, and verified only by true or \"true\" (V63)", arguments: emails.indices)
    func email(_ index: Int) {
        let (email, verified, expected) = Self.emails[index]
        var claims = JSONObject()
        claims["email"] = email
        claims["email_verified"] = verified
        #expect(EmailClaim(claims)?.verification == expected)
    }

    @Test("Email and EMAIL are other claims (V16)")
    func exactName() {
        #expect(EmailClaim(MintedLogin.object(["Email": "root@example.com", "EMAIL": "root@example.com"])) == nil)
    }

    @Test("Userinfo counts only if it is about the same subject (C28)")
    func userinfo() throws {
        let identity = try MintedLogin().verified()
        #expect(try VerifiedUserinfo(answer: Array(#"{"sub":"alice-1","groups":["a"]}"#.utf8), for: identity).claims["groups"] == ["a"])
        for bad in [#"{"sub":"bob"}"#, "{}", #"{"sub":["alice-1"]}"#, #"{"sub":"Alice-1"}"#, #"{"sub":null}"#] {
            #expect(throws: Refusal(.subject), "\(bad)") { try VerifiedUserinfo(answer: Array(bad.utf8), for: identity) }
        }
        for bad in ["", "[]", #"{"sub":"alice-1","sub":"alice-1"}"#, "<html>", #"{"sub":"alice-1"}x"#] {
            #expect(throws: Refusal(.tokenJSON), "\(bad)") { try VerifiedUserinfo(answer: Array(bad.utf8), for: identity) }
        }
    }

    @Test("A token that is only bound shows hearsay, as it has it, and the fingerprint of the provider's token")
    func hearsay() throws {
        let login = try MintedLogin().with {
            $0.claims["sub"] = "a\nb\u{202E}"
            $0.claims["email"] = "0123456789"
        }
        let compact = try login.token()
        let parts = compact.split(separator: UInt8(ascii: ":"))
        let token = try SSHCertificateReader.boundToken(login.with { $0.rewriteToken = { _ in compact } })
        let hearsay = token.hearsay()
        #expect(hearsay.subject == "a\nb\u{202E}")
        #expect(hearsay.email == "0123456789")
        #expect(hearsay.issuer == "https://issuer.example.com")
        let idToken = Array([parts[1], parts[0], parts[2]].joined(separator: [UInt8(ascii: ".")]))
        #expect(token.tokenFingerprint() == SSHFingerprint.sha256(idToken))
    }

    @Test("Our own compact token is what the verification takes", arguments: [TestKeys.p256, TestKeys.ed25519].indices)
    func builder(_ index: Int) throws {
        let key = [TestKeys.p256, TestKeys.ed25519][index]
        let claims = try ClientInstanceClaims(for: key.publicKey)
        let login = try MintedLogin(userKey: key).with { $0.clientHeader = claims.header }
        let idToken = try JWS(parsing: try login.idToken())
        let token = try claims.compactToken(idToken: idToken, signedBy: key)
        #expect(try login.with { $0.rewriteToken = { _ in token } }.refusal() == nil)
        let refreshed = try claims.compactToken(idToken: idToken, refreshed: try login.idToken(), signedBy: key)
        #expect(try login.with { $0.rewriteToken = { _ in refreshed } }.refusal() == nil)
        #expect(throws: KeyError.scheme) { try claims.compactToken(idToken: idToken, signedBy: TestKeys.otherP256) }
    }
}
