import JOSE
import LibCrypto
import MintingKit
import Testing
import Vocabulary

@testable import PKToken

@Suite("Step 5: the provider's row")
struct ProviderRowTests {
    static let issuers: [LoginCase] = [
        claim("V58 a slash at the end", .issuerUnknown, "iss", "https://issuer.example.com/"),
        claim("V58 upper case", .issuerUnknown, "iss", "https://ISSUER.example.com"),
        claim("V58 a port", .issuerUnknown, "iss", "https://issuer.example.com:443"),
        claim("V58 http", .issuerUnknown, "iss", "http://issuer.example.com"),
        claim("V58 a prefix", .issuerUnknown, "iss", "https://issuer.example.co"),
        claim("V58 a longer one", .issuerUnknown, "iss", "https://issuer.example.com.evil.example"),
        claim("V58 a list", .issuerUnknown, "iss", ["https://evil.example", "https://issuer.example.com"]),
        claim("V58 a NUL", .issuerUnknown, "iss", "https://issuer.example.com\0"),
        claim("V58 a blank", .issuerUnknown, "iss", " https://issuer.example.com"),
        claim("V58 missing", .issuerUnknown, "iss", nil), claim("V58 empty", .issuerUnknown, "iss", ""),
        claim("V58 null", .issuerUnknown, "iss", .null),
        claim("V58 another tenant", .issuerUnknown, "iss", "https://issuer.example.com/tenant2"),
        rewritten("V15 iss twice", .tokenJSON, "{", #"{"iss":"https://evil.example","#),
        rewritten("V15 sub twice by an escape", .tokenJSON, "{", #"{"\u0073ub":"root","#),
        rewritten("V16 Email beside email", nil, "{", #"{"Email":"root@example.com","#),
        rewritten("V70 something after the claims", .tokenJSON, "}", "}}"),
        LoginCase("an issuer that looks the same", .issuerUnknown) {
            $0.rows = [ProviderRow(issuer: "https://caf\u{E9}.example", clientID: MintedLogin.clientID, expiry: .never)]
            $0.claims["iss"] = "https://cafe\u{301}.example"
        },
        LoginCase("no row at all", .issuerUnknown) { $0.rows = [] },
    ]

    @Test("iss is the row's, byte for byte (V58)", arguments: issuers.indices)
    func issuer(_ index: Int) throws { try check(Self.issuers, index, try MintedLogin()) }

    static let audiences: [LoginCase] = [
        claim("V57 a list of the one", nil, "aud", ["test-client"]),
        claim("V57 the one twice", nil, "aud", ["test-client", "test-client"]),
        claim("V57 two without azp", .authorizedParty, "aud", ["other", "test-client"]),
        LoginCase("V57 two with azp", nil) {
            $0.claims["aud"] = ["other", "test-client"]
            $0.claims["azp"] = "test-client"
        },
        LoginCase("V57 two with another azp", .authorizedParty) {
            $0.claims["aud"] = ["other", "test-client"]
            $0.claims["azp"] = "other"
        },
        claim("V57 azp as well", nil, "azp", "test-client"), claim("V57 another azp", .authorizedParty, "azp", "other"),
        claim("V57 azp null", .authorizedParty, "azp", .null), claim("V57 azp a list", .authorizedParty, "azp", ["test-client"]),
        claim("V57 joined by a comma", .audience, "aud", "x,test-client"),
        claim("V57 joined in a list", .audience, "aud", ["x,test-client"]),
        claim("V57 empty list", .audience, "aud", []), claim("V57 empty string", .audience, "aud", ""),
        claim("V57 list of nothing", .audience, "aud", [""]),
        claim("V57 a number", .audience, "aud", 1), claim("V57 nested", .audience, "aud", [["test-client"]]),
        claim("V57 an object", .audience, "aud", ["test-client": 1]),
        claim("V57 null", .audience, "aud", .null), claim("V57 missing", .audience, "aud", nil),
        claim("V57 with a number", .audience, "aud", ["test-client", 1]),
        claim("V57 with null", .audience, "aud", ["test-client", nil]), claim("V57 in other letters", .audience, "aud", "Test-Client"),
        claim("V57 another", .audience, "aud", "other"), claim("V57 a blank", .audience, "aud", "test-client "),
    ]

    @Test("aud is the client id or a list that has it, and azp says so where there are several (V57)", arguments: audiences.indices)
    func audience(_ index: Int) throws { try check(Self.audiences, index, try MintedLogin()) }

    static let subjects: [LoginCase] = [
        claim("missing", .subject, "sub", nil), claim("empty", .subject, "sub", ""), claim("a number", .subject, "sub", 1),
        claim("a list", .subject, "sub", ["a"]),
        claim("null", .subject, "sub", .null), claim("a long one", nil, "sub", .string(Text(String(repeating: "a", count: 300)))),
    ]

    @Test("sub is a string that is not empty", arguments: subjects.indices)
    func subject(_ index: Int) throws { try check(Self.subjects, index, try MintedLogin()) }

    @Test("Of several rows of one issuer the first that fits decides")
    func severalRows() throws {
        func row(_ client: Text, _ line: Int, _ issuer: Text = MintedLogin.issuer) -> ProviderRow {
            ProviderRow(issuer: issuer, clientID: client, expiry: .never, line: line)
        }
        let login = try MintedLogin().with {
            $0.rows = [row("test-client", 1, "https://other.example"), row("other", 2), row("test-client", 3), row("test-client", 4)]
        }
        #expect(try login.verified().row.line == 3)
        #expect(try login.with { $0.rows.removeSubrange(2...3) }.refusal() == .audience)
    }
}

@Suite("Step 6: the commitment")
struct CommitmentStepTests {
    static let nonces: [LoginCase] = [
        claim("V30 missing", .commitment, "nonce", .null), rewritten("V30 null", .commitment, #""nonce":""#, #""nonce":null,"was":""#),
        rewritten("V30 a list", .commitment, #""nonce":""#, #""nonce":[],"was":""#), claim("V30 a number", .commitment, "nonce", 1),
        claim("V30 empty", .commitment, "nonce", ""),
        LoginCase("V30 of another client's claims", .commitment) { login in
            login.claims["nonce"] = .string(try ClientInstanceClaims(for: login.userKey.publicKey).commitment)
        },
        LoginCase("V30 a prefix of it", .commitment) { $0.claims["nonce"] = .string(Text(String($0.commitment.string.dropLast()))) },
        LoginCase("V30 it with padding", .commitment) { $0.claims["nonce"] = .string(Text($0.commitment.string + "=")) },
        LoginCase("V30 it in a list", .commitment) { $0.claims["nonce"] = [.string($0.commitment)] },
        LoginCase("V31 SHA-256", .commitment) {
            $0.claims["nonce"] = .string(Text(Base64URL.encode(Digest.sha256(JSON.object($0.clientHeader).serialized))))
        },
        LoginCase("V31 SHA-512", .commitment) {
            $0.claims["nonce"] = .string(Text(Base64URL.encode(Digest.sha512(JSON.object($0.clientHeader).serialized))))
        },
        LoginCase("V31 of the header's base64url", .commitment) {
            $0.claims["nonce"] = .string(
                Text(Base64URL.encode(Digest.sha3_256(Base64URL.encodeBytes(JSON.object($0.clientHeader).serialized)))))
        },
        LoginCase("it in aud is no commitment of an ordinary provider", .commitment) {
            $0.claims["azp"] = .string(MintedLogin.clientID)
            $0.claims["aud"] = [.string($0.commitment), .string(MintedLogin.clientID)]
            $0.claims["nonce"] = "x"
        },
        LoginCase("V32 the header's members in another order", nil) { login in
            let members = login.clientHeader.members.reversed().map { member in
                "\"\(member.name.string)\":" + String(decoding: member.value.serialized, as: UTF8.self)
            }
            login.claims["nonce"] = .string(login.commitment)
            login.clientHeaderText = Array(("{ " + members.joined(separator: " ,\n") + " }").utf8)
        },
        LoginCase("V30 the header as it was sent, where that is not how it is written", .commitment) { login in
            login.clientHeaderText = Array((" " + String(decoding: JSON.object(login.clientHeader).serialized, as: UTF8.self)).utf8)
        },
    ]

    @Test("nonce is SHA3-256 of the client's header, written in the one way (V30, V31, V32)", arguments: nonces.indices)
    func nonce(_ index: Int) throws { try check(Self.nonces, index, try MintedLogin()) }
}
