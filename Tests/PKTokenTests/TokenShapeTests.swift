import JOSE
import LibCrypto
import MintingKit
import SSHKeys
import Testing
import Vocabulary

@testable import PKToken

private func encoded(_ json: JSON) -> [UInt8] { Base64URL.encodeBytes(json.serialized) }

/// The parts of the token, changed.
private func parts(_ about: String, _ code: Refusal.Code?, _ change: @escaping @Sendable ([[UInt8]]) -> [[UInt8]]) -> LoginCase {
    LoginCase(about, code) { $0.rewriteToken = { joined(change(segments($0))) } }
}

/// A character put into one part of the token.
private func inserted(_ text: String, _ part: Int, atEnd: Bool = true) -> LoginCase {
    parts("V17 \(text.debugDescription) in part \(part)", .tokenMalformed) { parts in
        var parts = parts
        parts[part] = atEnd ? parts[part] + Array(text.utf8) : Array(text.utf8) + parts[part]
        return parts
    }
}

@Suite("Step 3: the compact token")
struct TokenShapeTests {
    static let orders: [LoginCase] = [
        parts("V24 the client's signature first", nil) { [$0[0], $0[3], $0[4], $0[1], $0[2]] },
        parts("V25 a cosigner's signature last", nil) { $0 + [encoded(["alg": "ES256", "typ": "COS"]), Array("AAAA".utf8)] },
        parts("V25 a cosigner's signature first", nil) { [$0[0], encoded(["alg": "ES256", "typ": "COS"]), []] + $0[1...] },
        parts("V25 two cosigners", .tokenMalformed) { $0 + [encoded(["typ": "COS"]), [], encoded(["typ": "COS"]), []] },
        parts("V25 only a cosigner and the provider", .tokenType) { [$0[0], $0[1], $0[2], encoded(["typ": "COS"]), []] },
        parts("V25 two cosigners and the client", .tokenType) {
            [$0[0], $0[3], $0[4], encoded(["typ": "COS"]), [], encoded(["typ": "COS"]), []]
        },
        parts("V27 cos in small letters", .tokenType) { $0 + [encoded(["alg": "ES256", "typ": "cos"]), []] },
        parts("V20 one part", .tokenMalformed) { [$0[0]] },
        parts("V20 two parts", .tokenMalformed) { Array($0[..<2]) },
        parts("V20 four parts", .tokenMalformed) { Array($0[..<4]) },
        parts("V20 six parts", .tokenMalformed) { $0 + [[]] },
        parts("V20 nine parts", .tokenMalformed) { $0 + $0[1...] },
        parts("V20 65536 colons", .tokenMalformed) { $0 + [[UInt8]](repeating: [], count: 65_536) },
        parts("V23 no client signature", .tokenType) { Array($0[..<3]) },
        parts("V23 no provider signature", .tokenType) { [$0[0], $0[3], $0[4]] },
        parts("V23 only a cosigner", .tokenType) { [$0[0], encoded(["alg": "ES256", "typ": "COS"]), []] },
        parts("V21 two provider signatures", .tokenType) { $0 + [$0[1], $0[2]] },
        parts("V21 JWT and no typ", .tokenType) { $0 + [encoded(["alg": "ES256", "kid": "other"]), []] },
        parts("V21 JWT and at+jwt", .tokenType) { $0 + [encoded(["alg": "ES256", "typ": "at+jwt"]), []] },
        parts("V21 JWT and dpop+id_token", .tokenType) { $0 + [encoded(["alg": "ES256", "typ": "dpop+id_token"]), []] },
        parts("V22 two client signatures", .tokenType) { $0 + [$0[3], $0[4]] },
        parts("V22 another client's signature", .tokenType) { $0 + [encoded(["alg": "ES256", "typ": "CIC", "rz": "1", "upk": [:]]), []] },
        parts("V18 no payload", .tokenJSON) { [[]] + $0[1...] },
        parts("V18 no payload and its colon gone", .tokenMalformed) { Array($0[1...]) },
        parts("V06 no provider signature's bytes", .providerSignature) { [$0[0], $0[1], [], $0[3], $0[4]] },
        parts("V06 no client signature's bytes", .clientSignature) { [$0[0], $0[1], $0[2], $0[3], []] },
        parts("V06 no headers", .tokenJSON) { [$0[0], [], $0[2], [], $0[4]] },
        LoginCase("V18 nothing at all", .tokenMalformed) { $0.rewriteToken = { _ in [] } },
        LoginCase("V49 a NUL after it", .tokenMalformed) { $0.rewriteToken = { $0 + [0] } },
        LoginCase("V49 a line break after it", .tokenMalformed) { $0.rewriteToken = { $0 + [0x0A] } },
        LoginCase("V20 65536 full stops", .tokenMalformed) {
            $0.rewriteToken = { $0 + [UInt8](repeating: UInt8(ascii: "."), count: 65_536) }
        },
        LoginCase("a full stop and nothing", .tokenMalformed) { $0.rewriteToken = { $0 + [UInt8(ascii: ".")] } },
        LoginCase("a refreshed token of two parts", .tokenMalformed) { $0.refreshed = Array("e30.e30".utf8) },
        LoginCase("a refreshed token of four parts", .tokenMalformed) { $0.refreshed = Array("e30.e30.AA.AA".utf8) },
        LoginCase("a refreshed token that is not base64url", .tokenMalformed) { $0.refreshed = Array("e30.e30.A=".utf8) },
        LoginCase("a refreshed token that nobody needs is not looked at", nil) { $0.refreshed = Array("e30.e30.AA".utf8) },
        LoginCase("V19 the general JSON form", .tokenMalformed) { login in
            login.rewriteToken = { token in
                let parts = segments(token).map { JSON.string(Text(String(decoding: $0, as: UTF8.self))) }
                let json: JSON = [
                    "payload": parts[0],
                    "signatures": [["protected": parts[1], "signature": parts[2]], ["protected": parts[3], "signature": parts[4]]],
                ]
                return json.serialized
            }
        },
    ]

    @Test("Exactly one provider's and one client's signature, in any order, and a cosigner's that is ignored", arguments: orders.indices)
    func order(_ index: Int) throws {
        #expect(try MintedLogin().refusal() == nil, "the unchanged login")
        #expect(try Self.orders[index].run(from: try MintedLogin()) == Self.orders[index].code, "\(Self.orders[index])")
    }

    static let base64: [LoginCase] = (0..<5).flatMap { part in
        [
            inserted("=", part), inserted("+", part), inserted("/", part), inserted(" ", part), inserted("\n", part),
            inserted("\r\n", part), inserted("?", part),
            inserted(" ", part, atEnd: false), inserted("\u{E9}", part),
        ]
    }

    @Test("Anything but strict base64url in any part is refused (V17)", arguments: base64.indices)
    func strictBase64(_ index: Int) throws {
        // In the payload it is the client's signature that is met first, unless the part cannot be decoded at all.
        let code = try Self.base64[index].run(from: try MintedLogin())
        #expect(code == .tokenMalformed, "\(Self.base64[index])")
    }

    @Test("Bits left over that are not zero are refused, in whichever part (V17)", arguments: 0..<5)
    func strayBits(_ part: Int) throws {
        // A P-256 key, so that lengths and thus stray bits vary; a part whose length leaves none over gets one byte more.
        let login = try MintedLogin(userKey: TestKeys.p256)
        let code = try login.with {
            $0.rewriteToken = { token in
                var parts = segments(token)
                guard let decoded = Base64URL.decode(parts[part]) else { return token }
                let longer = decoded.count.isMultiple(of: 3) ? decoded + [0x20] : decoded
                parts[part] = Base64URL.encodeBytes(longer)
                let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
                let value = alphabet.firstIndex(of: parts[part].last ?? 0) ?? 0
                parts[part][parts[part].count - 1] = alphabet[value | 1]
                return joined(parts)
            }
        }.refusal()
        #expect(code == .tokenMalformed)
    }

    @Test("Every truncation of a good token is refused")
    func truncations() throws {
        let login = try MintedLogin()
        let token = try login.token()
        #expect(try login.with { $0.rewriteToken = { _ in token } }.refusal() == nil)
        for length in 0..<token.count {
            let cut = Array(token.prefix(length))
            let code = try login.with { $0.rewriteToken = { _ in cut } }.refusal()
            #expect(code != nil, "\(length) bytes")
        }
    }

    @Test("Every changed byte of a good token is refused")
    func changedBytes() throws {
        let login = try MintedLogin()
        // One token: a new one would have a new ECDSA signature.
        let token = try login.token()
        for index in token.indices {
            for value in [token[index] ^ 1, UInt8(ascii: "A"), UInt8(ascii: ":"), UInt8(ascii: "."), 0] where value != token[index] {
                var damaged = token
                damaged[index] = value
                let bytes = damaged
                let code = try login.with { $0.rewriteToken = { _ in bytes } }.refusal()
                #expect(code != nil, "byte \(index), \(value)")
            }
        }
    }

    @Test("An extension that is empty, bare or not there is no token (V49)")
    func extensionForms() throws {
        let login = try MintedLogin()
        func refusal(_ change: @escaping @Sendable (inout CertificateForm) -> Void) throws -> Refusal.Code? {
            try login.with { $0.rewriteCertificate = change }.refusal()
        }
        #expect(try refusal { _ in } == nil)
        #expect(try refusal { $0.extensions = [] } == .tokenMalformed)
        #expect(try refusal { $0.extensions[0].packed = [] } == .tokenMalformed)
        #expect(try refusal { $0.extensions[0].packed = sshString([]) } == .tokenMalformed)
    }
}
