import JOSE
public import Vocabulary

/// What a token endpoint gave for a refresh token (RFC 6749 section 6, OpenID Connect Core section 12.2).
public struct RefreshAnswer: Sendable {
    /// Nil where the provider gives none on a refresh, which it may.
    public let idToken: Secret?
    public let accessToken: Secret?
    /// The next one, where the provider gives a new one each time; else the old one goes on.
    public let refreshToken: Secret?

    init(_ object: JSONObject) throws(OIDCError) {
        idToken = try TokenAnswer.token("id_token", in: object)
        accessToken = try TokenAnswer.token("access_token", in: object)
        refreshToken = try TokenAnswer.token("refresh_token", in: object)
        try TokenAnswer.checkType(object)
    }
}
