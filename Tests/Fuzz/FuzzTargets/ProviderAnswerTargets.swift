import JOSE
import KeyCache
import LibCrypto
import MintingKit
import PKToken
import Policy
import SSHKeys
import Vocabulary

/// Reads the bytes as a record of the key cache, and as a JWKS that was just fetched, from which a record is made.
@Sendable func keyCache(_ bytes: [UInt8]) {
    let issuer = MintedLogin.issuer
    if let kept = CachedKeys(parsing: bytes, issuer: issuer) {
        must(kept.record == bytes && kept.issuer == issuer, "the record is another one")
        must(CachedKeys(parsing: bytes, issuer: "https://issuer.example.co") == nil, "another issuer's keys")
        check(kept)
    }
    let fetchedAt = MintedLogin.now
    guard
        let fetched = CachedKeys(
            issuer: issuer, keysURI: "https://issuer.example.com/jwks", userinfoEndpoint: "https://issuer.example.com/userinfo",
            fetchedAt: fetchedAt, body: bytes)
    else {
        must((try? JWKSet(parsing: bytes))?.hasUsableKey != true || bytes.count > 1 << 20, "good keys were not kept")
        return
    }
    must(fetched.jwks.hasUsableKey, "kept without a key that can be used")
    // Nothing of the answer reaches out of its place in the record.
    must(fetched.keysURI == "https://issuer.example.com/jwks" && fetched.fetchedAt == fetchedAt, "the answer changed the record")
    must(fetched.userinfoEndpoint == "https://issuer.example.com/userinfo", "the answer changed the record")
    must(fetched.jwks.keys.count == (try? JWKSet(parsing: bytes))?.keys.count, "keys lost or found")
    check(fetched)
    guard let again = CachedKeys(parsing: fetched.record, issuer: issuer) else {
        must(false, "a record that cannot be read again")
        return
    }
    must(again.jwks.keys.count == fetched.jwks.keys.count && again.fetchedAt == fetchedAt, "a record that is read differently")
}

private func check(_ keys: CachedKeys) {
    must(!keys.jwks.keys.isEmpty, "a record without a key")
    must(keys.jwks.keys.count <= JWKSet.maximumKeys, "too many keys")
    // A clock that was set back by up to two hours explains a record from the future.
    for seconds in [-7201, -7200, -1, 0, 3599, 3600, 86_399, 86_400] as [Int64] {
        let now = keys.fetchedAt + seconds
        must(!keys.isFresh(at: now) || keys.isUsable(at: now), "fresh and of no use")
        must(!keys.isFresh(at: now) || seconds >= 0, "fresh before it was fetched")
        must(keys.isUsable(at: now) == (-7200..<86_400).contains(seconds), "of use at the wrong time")
    }
}

/// Reads the bytes as the provider's answer about somebody whose ID token alone does not admit.
@Sendable func userinfo(_ bytes: [UInt8]) {
    guard let asker = UserinfoAsker.shared else {
        must(false, "no login to ask with")
        return
    }
    let parsed = try? JSONObject(parsing: bytes)
    guard let answer = try? VerifiedUserinfo(answer: bytes, for: asker.identity) else {
        must(parsed?["sub"]?.string != asker.identity.subject, "an answer about the right person was refused")
        return
    }
    must(parsed?["sub"]?.string == asker.identity.subject, "an answer about somebody else was taken")
    var evidence = Evidence()
    evidence.home = .absent
    evidence.plugins = .none
    evidence.userinfo = .verified(answer)
    let deliberation = authorize(
        asker.identity, as: asker.account, at: MintedLogin.now, authID: asker.authID, config: asker.config, evidence: evidence)
    switch deliberation.verdict {
    case .needs: must(false, "asked again")
    case .refused(let refusal): must([.denied, .noRowAdmits, .emailNotVerified].contains(refusal.code), "refused for \(refusal.code)")
    case .admitted(let grants):
        let rows = deliberation.rows.filter(\.obstacles.isEmpty).map(\.row)
        must(!grants.isEmpty && rows.allSatisfy { $0.account == .named(asker.account) }, "admitted by another account's rows")
        must(grants.map(\.source) == rows.map { .row($0.line) }, "other grants than rows")
        let address = parsed?["email"]?.string
        must(address?.equalsIgnoringASCIICase("mallory@example.com") != true, "a deny list was passed over")
        for row in rows {
            switch row.identity {
            case .claim(let name, _): must(parsed?[name] != nil, "admitted by a claim that is not there")
            case .emailDomain, .emailOrSubject: must(address != nil && !isUnverified(parsed), "admitted by an email that does not count")
            default: must(false, "admitted by the subject, which is not new")
            }
        }
    }
}

private func isUnverified(_ claims: JSONObject?) -> Bool {
    guard let value = claims?["email_verified"] else { return false }
    return value != true && value != "true"
}

/// An identity without email or groups, and rows that ask for both.
private struct UserinfoAsker: Sendable {
    let identity: VerifiedIdentity
    let account: Principal
    let authID: AuthID
    let config: ServerConfig

    static let shared = try? UserinfoAsker()

    init() throws {
        let login = try MintedLogin(userKey: FixedKeys.user).with { login in
            login.sign(with: FixedKeys.provider, .edDSA)
            login.claims["email"] = nil
            login.claims["email_verified"] = nil
            login.rewriteCertificate = { $0.extensions.insert(.init("openpubkey-act", value: [0x61]), at: 0) }
        }
        identity = try login.verified()
        guard let account = Principal("dev") else { throw KeyError.wrongLength }
        self.account = account
        authID = AuthID(
            parsing: Array(
                #"""
                dev oidc:groups:admins https://issuer.example.com
                dev 'oidc:"https://example.com/roles":1' https://issuer.example.com
                dev oidc-match-end:email:@example.com https://issuer.example.com
                dev bob@example.org https://issuer.example.com
                dev oidc:email:carol@example.org https://issuer.example.com
                other oidc:groups:admins https://issuer.example.com
                """#.utf8), for: account, of: MintedLogin.issuer)
        config = try ServerConfig(parsing: FuzzSources.configText)
    }
}

/// Reads the bytes as a principal, or the name of an account.
@Sendable func principal(_ bytes: [UInt8]) {
    let found = Text(validating: bytes).flatMap(Principal.init)
    must((found != nil) == isPrincipal(bytes), "another answer than PROTOCOL section 6's")
    if let found { must(found.text.utf8 == bytes && found.description.utf8.elementsEqual(bytes), "another name") }
}

/// `[A-Za-z0-9_][A-Za-z0-9._+@-]{0,127}\$?`, said another way.
private func isPrincipal(_ bytes: [UInt8]) -> Bool {
    let words = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_".utf8)
    let name = bytes.last == 0x24 ? bytes.dropLast() : bytes[...]
    return (1...128).contains(name.count) && words.contains(name[name.startIndex])
        && name.allSatisfy { words.contains($0) || ".+@-".utf8.contains($0) }
}
