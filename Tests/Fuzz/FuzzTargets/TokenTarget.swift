import JOSE
import LibCrypto
import MintingKit
import PKToken
import SSHKeys
import Vocabulary

/// Reads the bytes as a compact PK token, and then as the one in a certificate whose other parts are good.
@Sendable func compactToken(_ bytes: [UInt8]) {
    if let token = try? CompactToken(parsing: bytes) {
        for jws in [token.provider, token.client] { check(jws) }
        if let refreshed = token.refreshed, let jws = try? JWS(parsing: refreshed) { check(jws) }
        must(token.provider.encodedPayload == token.client.encodedPayload, "two payloads")
        must(token.client.header.type == "CIC", "a client that does not say so")
        must(bytes.filter { $0 == UInt8(ascii: ":") }.count <= 6, "more than three signatures")
    }
    if let jws = try? JWS(parsing: bytes) {
        check(jws)
        must(jws.signedBytes + [UInt8(ascii: ".")] + Base64URL.encodeBytes(jws.signature) == bytes, "a JWS is written differently")
    }
    var form = CertificateForm(for: FixedKeys.user.publicKey, token: bytes)
    form.keyID = []
    guard let blob = try? form.signed(by: FixedKeys.user), let parsed = try? SSHCertificate(parsing: blob),
        let certificate = try? parsed.selfSigned(at: MintedLogin.now)
    else {
        must(false, "a good certificate was refused")
        return
    }
    _ = try? admitted(certificate, by: LoginVariant.rows)
}

private func check(_ jws: JWS) {
    for part in [jws.encodedHeader, jws.encodedPayload] {
        guard let decoded = Base64URL.decode(part) else {
            // A payload is decoded when it is asked for.
            must(part == jws.encodedPayload && (try? jws.payload()) == nil, "a part that is not base64url")
            continue
        }
        must(Base64URL.encodeBytes(decoded) == part, "a part is written differently")
    }
    must(jws.header.members["crit"] == nil && jws.header.members["b64"] == nil, "an extension that nobody implements")
    let rewritten = JSON.object(jws.header.members).serialized
    must((try? JSONObject(parsing: rewritten)).map { JSON.object($0).serialized } == rewritten, "a header is written differently")
}

/// Steps 3 to 8 with the first row that fits.
func admitted(_ certificate: SelfSignedCertificate, by rows: [ProviderRow]) throws -> VerifiedIdentity {
    let token = try certificate.token()
    let row = try token.row(in: rows)
    return try token.checked(against: row, at: MintedLogin.now).verify(with: LoginVariant.keys)
}
