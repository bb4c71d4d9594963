import JOSE
public import Vocabulary

/// A refresh token and all that is needed to use it. Whose it is stands beside it, so that it is never sent to another provider, whatever the
/// configuration says by then.
public struct StoredRefreshToken: Hashable, Sendable {
    public var issuer: Text
    public var clientID: Text
    /// Where the login had one.
    public var clientSecret: Secret?
    public var token: Secret
    /// Whether the certificate's end moves with each refresh; false where the person gave it an end of its own.
    public var movesEnd: Bool

    public init(issuer: Text, clientID: Text, clientSecret: Secret?, token: Secret, movesEnd: Bool) {
        self.issuer = issuer
        self.clientID = clientID
        self.clientSecret = clientSecret
        self.token = token
        self.movesEnd = movesEnd
    }

    /// Bytes of all of it. A keyring's key holds 32767; the longest tokens known have some 4000.
    static let largest = 24 << 10

    /// One JSON object, without a line feed. Secret.
    func encoded() -> [UInt8] {
        var object = JSONObject()
        object["version"] = 1
        object["issuer"] = .string(issuer)
        object["client_id"] = .string(clientID)
        object["client_secret"] = clientSecret.map { .string(Text(String(decoding: $0.exposed, as: UTF8.self))) }
        object["refresh_token"] = .string(Text(String(decoding: token.exposed, as: UTF8.self)))
        object["moves_end"] = .bool(movesEnd)
        return JSON.object(object).serialized
    }

    /// Nil where it is not such a one.
    init?(parsing bytes: [UInt8]) {
        guard bytes.count <= StoredRefreshToken.largest, let object = try? JSONObject(parsing: bytes),
            object["version"]?.number?.integer == 1, let issuer = object["issuer"]?.string, !issuer.isEmpty,
            let clientID = object["client_id"]?.string, !clientID.isEmpty,
            let token = object["refresh_token"]?.string, !token.isEmpty, let movesEnd = object["moves_end"]?.bool
        else { return nil }
        var secret: Secret?
        if let value = object["client_secret"] {
            guard let text = value.string else { return nil }
            secret = Secret(Array(text.utf8))
        }
        self.init(issuer: issuer, clientID: clientID, clientSecret: secret, token: Secret(Array(token.utf8)), movesEnd: movesEnd)
    }
}
