import JOSE
public import Vocabulary

/// What a token endpoint gave (OpenID Connect Core section 3.1.3.3, C21). The ID token is not verified yet: that is the same code's
/// business as on the server.
public struct TokenAnswer: Sendable {
    /// A compact JWS, or so it says.
    public let idToken: Secret
    public let accessToken: Secret?
    public let refreshToken: Secret?
    /// Seconds from now for which the access token is good; nil where the provider does not say.
    public let expiresIn: Int64?

    /// Ten years: more is a mistake.
    static let longestLife: Int64 = 315_360_000

    init(_ object: JSONObject) throws(OIDCError) {
        guard let idToken = try TokenAnswer.token("id_token", in: object) else { throw .malformed(.token, "id_token is missing") }
        self.idToken = idToken
        accessToken = try TokenAnswer.token("access_token", in: object)
        refreshToken = try TokenAnswer.token("refresh_token", in: object)
        try TokenAnswer.checkType(object)
        if let value = object["expires_in"] {
            guard let seconds = value.number?.integer, (0...TokenAnswer.longestLife).contains(seconds) else {
                throw .malformed(.token, "expires_in is not a number of seconds")
            }
            expiresIn = seconds
        } else {
            expiresIn = nil
        }
    }

    /// Required by RFC 6749 section 5.1, and the only type that we can use: RFC 6750, in any case.
    static func checkType(_ object: JSONObject) throws(OIDCError) {
        guard let type = object["token_type"]?.string, type.equalsIgnoringASCIICase("Bearer") else {
            throw .malformed(.token, "token_type is not Bearer")
        }
    }

    /// Not empty, and only what a header or a form can carry: visible ASCII. Nil where it is absent or JSON's null.
    static func token(_ name: String, in object: JSONObject) throws(OIDCError) -> Secret? {
        guard let value = object[Text(name)], value != .null else { return nil }
        guard let text = value.string, !text.isEmpty, text != "null", text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .malformed(.token, "\(name) is not a token")
        }
        return Secret(text.utf8)
    }
}
