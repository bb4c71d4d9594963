import JOSE
import LibCrypto
import MintingKit
import PKToken
import SSHKeys
import Vocabulary

/// The rows that a fuzzed login may meet, and the keys of the provider that signs it.
enum LoginVariant {
    static let rows: [ProviderRow] = {
        let policies: [ExpiryPolicy] = [.maximumAge(seconds: 86_400), .oidc, .oidcRefreshed, .never]
        let options: [ProviderOptions] = [[], .keyBinding, .accessTokenType]
        return policies.flatMap { policy in
            options.map { ProviderRow(issuer: MintedLogin.issuer, clientID: MintedLogin.clientID, expiry: policy, options: $0) }
        }
    }()

    static let keys: JWKSet = {
        let key = MintedLogin.jwk(FixedKeys.provider.publicKey, ["kid": "key-1", "alg": "EdDSA", "use": "sig"])
        do {
            return try JWKSet(["keys": [key]])
        } catch {
            preconditionFailure("the provider's keys: \(error)")
        }
    }()
}

/// A login whose JSON the input writes and whose signatures are all good, as of a provider and a client that mean harm.
///
/// The first byte chooses the row; then, divided by NUL: the claims, the provider's header, the client's header and the refreshed token's
/// claims, each with a good default. `$C` in the claims stands for the commitment, `$U` in the client's header for the user's key.
@Sendable func login(_ bytes: [UInt8]) {
    guard let (login, row, commitment) = minted(bytes) else { return }
    guard let blob = try? login.certificate(), let parsed = try? SSHCertificate(parsing: blob),
        let certificate = try? parsed.selfSigned(at: MintedLogin.now), let identity = try? admitted(certificate, by: [row])
    else { return }
    check(identity, login, commitment: Text(String(decoding: commitment, as: UTF8.self)))
}

/// The login that the input writes, its row, and its commitment.
func minted(_ bytes: [UInt8]) -> (login: MintedLogin, row: ProviderRow, commitment: [UInt8])? {
    guard let choice = bytes.first else { return nil }
    let row = LoginVariant.rows[Int(choice) % LoginVariant.rows.count]
    let sections = bytes.dropFirst().split(separator: 0, maxSplits: 3, omittingEmptySubsequences: false)
    func section(_ index: Int) -> [UInt8]? {
        guard index < sections.count, !sections[index].isEmpty else { return nil }
        return Array(sections[index])
    }
    guard let claims = section(0), var minted = try? MintedLogin(userKey: FixedKeys.user) else { return nil }
    var upk = FixedKeys.user.publicKey.jwk
    upk["alg"] = "EdDSA"
    let client = section(2) ?? Array(#"{"alg":"EdDSA","rz":"0","typ":"CIC","upk":$U}"#.utf8)
    let clientText = replace("$U", by: JSON.object(upk).serialized, in: client)
    // The commitment is computed over what a reader makes of the header, if it can be read at all.
    let canonical = (try? JSON(parsing: clientText))?.serialized ?? clientText
    let commitment = Base64URL.encodeBytes(Digest.sha3_256(canonical))
    minted.sign(with: FixedKeys.provider, .edDSA)
    minted.clientHeaderText = clientText
    minted.claimsText = replace("$C", by: commitment, in: claims)
    minted.headerText = section(1) ?? Array(#"{"alg":"EdDSA","kid":"key-1","typ":"JWT"}"#.utf8)
    if let refreshed = section(3), var fresh = try? MintedLogin(userKey: FixedKeys.user) {
        fresh.sign(with: FixedKeys.provider, .edDSA)
        fresh.claimsText = refreshed
        minted.refreshed = try? fresh.idToken()
    }
    return (minted, row, commitment)
}

/// The rules again, said another way.
private func check(_ identity: VerifiedIdentity, _ minted: MintedLogin, commitment: Text) {
    let row = identity.row
    guard let claims = try? JSONObject(parsing: minted.claimsBytes), let header = try? JSONObject(parsing: minted.headerBytes) else {
        must(false, "admitted without readable claims")
        return
    }
    let audience = claims["aud"]?.array?.compactMap(\.string) ?? claims["aud"]?.string.map { [$0] } ?? []
    must(claims["iss"]?.string == row.issuer && identity.issuer == row.issuer, "another issuer")
    must(audience.contains(row.clientID), "another audience")
    must(Set(audience).count == 1 || claims["azp"]?.string == row.clientID, "another client's login")
    must(claims["sub"]?.string.map { !$0.isEmpty && $0 == identity.subject } ?? false, "no subject")
    if row.options.contains(.keyBinding) {
        must(header["typ"]?.string == "dpop+id_token", "not a key-bound token")
        must(claims["cnf"] != nil, "not bound to any key")
    } else {
        must(claims["nonce"]?.string == commitment, "no commitment")
        must(header["typ"]?.string != "dpop+id_token", "a key-bound token")
    }
    must(header["crit"] == nil && header["b64"] == nil, "an extension that nobody implements")
    let now = MintedLogin.now
    must(identity.issuedAt <= now + 60, "issued in the future")
    must(identity.expires.map { now < $0 } ?? (row.expiry == .never), "expired")
}

private func replace(_ placeholder: String, by value: [UInt8], in text: [UInt8]) -> [UInt8] {
    let pattern = Array(placeholder.utf8)
    var out: [UInt8] = []
    var index = 0
    var left = 4
    while index < text.count {
        if left > 0, text[index...].starts(with: pattern) {
            out += value
            index += pattern.count
            left -= 1
        } else {
            out.append(text[index])
            index += 1
        }
    }
    return out
}
