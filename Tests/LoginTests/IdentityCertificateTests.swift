import JOSE
import LibCrypto
import PKToken
import SSHKeys
import Testing
import Vocabulary

@testable import Login

@Suite("IdentityCertificate: an ID token counts only after the server's own checks")
struct IdentityCertificateTests {
    /// The code by which the token is refused; nil if it is not.
    func refusal(_ changes: [Text: JSON?], at offset: Int64 = 0) throws -> Refusal.Code? {
        let provider = try TestProvider()
        let maker = try provider.maker()
        do throws(LoginError) {
            let token = ProviderTokens(idToken: Secret((try? provider.idToken(for: maker, changes)) ?? []), accessToken: nil)
            _ = try maker.mint(token, keys: provider.keys, at: provider.now + offset)
            return nil
        } catch {
            guard case .identity(let refusal, _) = error else { throw error }
            return refusal.code
        }
    }

    @Test("a good token makes a certificate that a server admits, for every kind of key", arguments: [PrivateKey.Kind.p256, .ed25519])
    func good(kind: PrivateKey.Kind) throws {
        for providerKind in [PrivateKey.Kind.p256, .ed25519, .rsa(bits: 2048)] {
            let provider = try TestProvider(providerKind)
            let result = try provider.mint(try provider.maker(kind))
            #expect(result.who == "alice@example.com")
            #expect(result.ends == provider.now.wholeSeconds + 86_400)
            let certificate = result.key.certificate
            #expect(certificate.kind == .user)
            #expect(certificate.serial == 0)
            #expect(certificate.keyID == Array("alice@example.com".utf8))
            #expect(certificate.principals == [Array("opkssh-wildcard".utf8)])
            #expect(certificate.validAfter == 0)
            #expect(certificate.validBefore == UInt64(provider.now.seconds) + 86_400)
            #expect(certificate.criticalOptions.isEmpty)
            #expect(
                certificate.extensions.map { String(decoding: $0.name, as: UTF8.self) } == [
                    "openpubkey-pkt", "permit-X11-forwarding", "permit-agent-forwarding", "permit-port-forwarding", "permit-pty",
                    "permit-user-rc",
                ])
            #expect(certificate.key == result.key.privateKey.publicKey)
        }
    }

    @Test("the certificate ends when the identity does, as the person asked for")
    func lifetimes() throws {
        let provider = try TestProvider()
        let end = { (policy: ExpiryPolicy) in try provider.mint(try provider.maker(expiry: policy)).key.certificate.validBefore }
        let now = UInt64(provider.now.seconds)
        #expect(try end(.maximumAge(seconds: 60)) == now + 60)
        #expect(try end(.oidc) == now + 3600)
        #expect(try end(.never) == .max)
    }

    @Test("--principals restricts the certificate; without an email the key id is the subject")
    func content() throws {
        let provider = try TestProvider()
        let principals = try LoginOptions.principals("deploy,root,deploy")
        let result = try provider.mint(try provider.maker(principals: principals), ["email": nil])
        #expect(result.key.certificate.principals == [Array("deploy".utf8), Array("root".utf8)])
        #expect(result.key.certificate.keyID == Array("alice-1".utf8))
        #expect(result.who == "alice-1")
        #expect(
            Summary(result, place: KeyPlace("/k"), isUsualPlace: false).lines(now: provider.now).last == "Connect: ssh -i /k deploy@HOST")
    }

    @Test("--send-access-token puts it into the certificate, and is refused where there is none; else it stays out")
    func accessToken() throws {
        let provider = try TestProvider()
        let sent = try provider.mint(try provider.maker(sendsAccessToken: true), accessToken: "t0ken")
        #expect(sent.key.certificate.extensionNamed("openpubkey-act")?.value == Array("t0ken".utf8))
        #expect(try provider.mint(try provider.maker(), accessToken: "t0ken").key.certificate.extensionNamed("openpubkey-act") == nil)
        #expect(throws: LoginError.self) { _ = try provider.mint(try provider.maker(sendsAccessToken: true)) }
    }

    @Test("C23: a nonce that is not this login's commitment is refused: missing, another, an array, a prefix, empty")
    func nonce() throws {
        for nonce in [nil, "other", ["x"], "", 7, nil] as [JSON?] { #expect(try refusal(["nonce": nonce]) == .commitment) }
        let provider = try TestProvider()
        let maker = try provider.maker()
        let commitment = maker.claims.commitment.string
        for wrong in [String(commitment.dropLast()), commitment + "=", commitment + "A", " " + commitment] {
            #expect(throws: LoginError.self) { _ = try provider.mint(maker, ["nonce": .string(Text(wrong))]) }
        }
        #expect(throws: LoginError.self) { _ = try provider.mint(maker, ["nonce": .array([.string(maker.claims.commitment)])]) }
    }

    @Test("C24: a token without sub, iat, exp, aud or iss is refused, and so is a sub that is empty, a list or too long")
    func missing() throws {
        #expect(try refusal(["sub": .some(nil)]) == .subject)
        #expect(try refusal(["sub": ""]) == .subject)
        #expect(try refusal(["sub": ["alice-1"]]) == .subject)
        #expect(try refusal(["sub": .string(Text(String(repeating: "s", count: 300)))]) == .subject)
        #expect(try refusal(["iat": .some(nil)]) == .timeClaim)
        #expect(try refusal(["iat": "1795291606"]) == .timeClaim)
        #expect(try refusal(["exp": .some(nil)]) == .timeClaim)
        #expect(try refusal(["exp": -1]) == .timeClaim)
        #expect(try refusal(["exp": 1]) == .expired)
        #expect(try refusal(["aud": .some(nil)]) == .audience)
        #expect(try refusal(["iss": .some(nil)]) == .issuerUnknown)
        #expect(try refusal(["iss": "https://idp.example.com/"]) == .issuerUnknown)
    }

    @Test("C25: another audience, several without azp and another azp are refused")
    func audience() throws {
        #expect(try refusal(["aud": "other"]) == .audience)
        #expect(try refusal(["aud": ["other"]]) == .audience)
        #expect(try refusal(["aud": ["opk-test"]]) == nil)
        #expect(try refusal(["aud": ["opk-test", "other"]]) == .authorizedParty)
        #expect(try refusal(["aud": ["opk-test", "other"], "azp": "opk-test"]) == nil)
        #expect(try refusal(["azp": "other"]) == .authorizedParty)
    }

    @Test("C26: at_hash that is not the access token's is refused")
    func accessTokenHash() throws {
        for kind in [PrivateKey.Kind.p256, .ed25519] {
            let provider = try TestProvider(kind)
            let digest = kind == .ed25519 ? Digest.sha512(Array("t0ken".utf8)) : Digest.sha256(Array("t0ken".utf8))
            let right = JSON.string(Text(Base64URL.encode(digest.prefix(digest.count / 2))))
            _ = try provider.mint(try provider.maker(), ["at_hash": right], accessToken: "t0ken")
            for (claim, token) in [(right, "other"), (right, nil), ("x", "t0ken"), (.array([right]), "t0ken"), (.null, "t0ken")]
                as [(JSON, Text?)]
            {
                do {
                    _ = try provider.mint(try provider.maker(), ["at_hash": claim], accessToken: token)
                    Issue.record("accepted")
                } catch let error as LoginError {
                    guard case .accessTokenHash = error else { throw error }
                }
            }
        }
    }

    @Test("C22: alg none, HS256 and signatures of another key are refused, whatever else is right")
    func signatures() throws {
        let provider = try TestProvider()
        let maker = try provider.maker()
        let payload = Base64URL.encode(JSON.object(provider.claims(for: maker)).serialized)
        for header in [#"{"alg":"none"}"#, #"{"alg":"HS256"}"#, #"{"alg":"RS256"}"#, #"{"alg":"ES256"}"#, "{}"] {
            for signature in ["", Base64URL.encode([UInt8](repeating: 1, count: 64))] {
                let token = Array((Base64URL.encode(Array(header.utf8)) + "." + payload + "." + signature).utf8)
                #expect(throws: LoginError.self, "\(header)") {
                    _ = try maker.mint(ProviderTokens(idToken: Secret(token), accessToken: nil), keys: provider.keys, at: provider.now)
                }
            }
        }
        let other = try TestProvider()
        #expect(throws: LoginError.self) {
            _ = try maker.mint(
                ProviderTokens(idToken: Secret(try other.idToken(for: maker)), accessToken: nil), keys: provider.keys, at: provider.now)
        }
    }

    @Test("C40: a clock that is wrong is named as the cause, with how much and which way")
    func clock() throws {
        let provider = try TestProvider()
        let maker = try provider.maker()
        for (offset, hint) in [(-600, "10 min behind"), (7 * 86_400, "7 d ahead")] as [(Int64, String)] {
            do throws(LoginError) {
                let token = ProviderTokens(idToken: Secret((try? provider.idToken(for: maker)) ?? []), accessToken: nil)
                _ = try maker.mint(token, keys: provider.keys, at: provider.now + offset)
                Issue.record("accepted")
            } catch {
                #expect(error.hint?.contains(hint) == true)
            }
        }
    }

    @Test(
        "account names that could not be printed for sshd are a wrong call",
        arguments: ["", "a,,b", "-x", "a b", "*", "root\"", "é", "a,b,"])
    func badPrincipals(text: String) {
        #expect(throws: LoginError.self) { _ = try LoginOptions.principals(text) }
    }

    @Test(
        "a time that cannot be read is a wrong call", arguments: ["", "0h", "24", "24H", " 24h", "1 week", "oidc-refreshed", "-1h", "1e9h"])
    func badLifetime(text: String) {
        #expect(throws: LoginError.self) { _ = try LoginOptions.lifetime(text) }
    }
}

extension UnixTime {
    var wholeSeconds: UnixTime { UnixTime(seconds: seconds) }
}
