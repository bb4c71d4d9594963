import JOSE
import Vocabulary

/// Everything about the provider that the control endpoint can change while it runs. As it starts, all is well.
struct Behaviour: Sendable {
    /// Who is logged in at once, without the login page; nil shows the page.
    var autoLogin: LoginDecision?
    /// Seconds from `iat` to `exp` of an ID token.
    var tokenLifetime: Int64 = 3600
    /// Seconds added to `iat` (and so to `exp`); negative is the past.
    var issuedAtOffset: Int64 = 0
    /// What is done to the signature of ID tokens.
    var signature = SignatureQuality.good
    /// Claims that only the userinfo endpoint tells.
    var userinfoOnly: [Text] = []
    /// Whether the answer to a refresh has an ID token.
    var refreshesIDToken = true
    /// Whether logins come with a refresh token.
    var givesRefreshToken = true
    /// Whether the `nonce` of a device authorization request comes back in the ID token (few providers do this).
    var deviceNonce = false
    /// Seconds that a device waits between two polls (RFC 8628 section 3.2), and how long its code lives.
    var deviceInterval: Int64 = 5
    var deviceLifetime: Int64 = 600
    /// Changes to the documents that the provider sends.
    var overrides: [Document: JSONObject] = [:]
    var faults: [FaultyEndpoint: Fault] = [:]
    /// Changes to each person's claims.
    private var claimChanges: [Text: JSONObject] = [:]

    enum SignatureQuality: String, Sendable {
        case good, bad, empty
        /// By a key that is published nowhere, under the `kid` of one that is.
        case otherKey = "other-key"
    }

    /// What can be overridden, member by member.
    enum Document: String, Sendable, CaseIterable {
        case discovery
        /// Every key of the JWKS (`{"alg": null}`: keys without `alg`).
        case jwk
        case jwks
        case idTokenHeader = "id_token_header"
        case idToken = "id_token"
        /// On top of `id_token`, for ID tokens that come with a refresh.
        case refreshedIDToken = "refreshed_id_token"
        case tokenResponse = "token_response"
        case userinfo
        /// The parameters of the redirect back to the client; an array repeats the parameter.
        case callback
        case deviceAuthorization = "device_authorization"
    }

    func claims(of person: Text) -> JSONObject {
        (Person.named(person)?.claims ?? JSONObject()).overridden(by: claimChanges[person])
    }

    mutating func changeClaims(of person: Text, _ changes: JSONObject) {
        var all = claimChanges[person] ?? JSONObject()
        for change in changes.members { all[change.name] = change.value }
        claimChanges[person] = all
    }
}

/// What the person at the login page does.
enum LoginDecision: Sendable, Equatable {
    case person(Text)
    case refuse

    /// A demo person's name, or `refuse`.
    init?(_ text: Text) {
        if text == "refuse" {
            self = .refuse
        } else if let person = Person.named(text) {
            self = .person(person.name)
        } else {
            return nil
        }
    }
}
