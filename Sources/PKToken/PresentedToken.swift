public import JOSE
import SSHKeys
public import Vocabulary

/// The texts of a verified PK token, as they came: for a plugin that wants to see them itself. Whoever has the ID token of a provider that
/// signs in the usual way can show it elsewhere, hence the `Secret`s.
public struct PresentedToken: Sendable {
    /// The claims' JSON, to the byte.
    public let payload: [UInt8]
    /// The provider's token as a compact JWS.
    public let idToken: Secret
    /// The compact PK token: the provider's signature first, the client's second, a cosigner's third, whatever order they came in.
    public let compact: Secret
    /// `upk` of the client's header, with whatever members it has.
    public let userKey: JSONObject
}

extension VerifiedIdentity {
    /// Taken from the certificate again, which has been verified as a whole, so that a login for which nobody asks does not pay for it.
    ///
    /// - Throws: never for an identity of `TimelyToken.verify`.
    public func presentedToken() throws(Refusal) -> PresentedToken {
        guard let option = certificate.certificate.extensionNamed(SSHCertificate.tokenExtension) else {
            throw Refusal(.tokenMalformed, "the extension is missing")
        }
        let token = try CompactToken(parsing: option.value)
        guard let payload = Base64URL.decode(token.provider.encodedPayload), let userKey = token.client.header.members["upk"]?.object else {
            throw Refusal(.tokenMalformed)
        }
        return PresentedToken(
            payload: payload, idToken: Secret(token.provider.encoded), compact: Secret(token.encoded), userKey: userKey)
    }
}

extension JWS {
    /// The compact form. Base64url is read strictly, so that writing the signature again gives what came.
    fileprivate var encoded: [UInt8] { signedBytes + [UInt8(ascii: ".")] + Base64URL.encodeBytes(signature) }
}

extension CompactToken {
    fileprivate var encoded: [UInt8] {
        var out = provider.encodedPayload
        for jws in [provider, client, cosigner].compactMap(\.self) {
            out += [UInt8(ascii: ":")] + jws.encodedHeader + [UInt8(ascii: ":")] + Base64URL.encodeBytes(jws.signature)
        }
        if let refreshed { out += [UInt8(ascii: ".")] + refreshed }
        return out
    }
}
