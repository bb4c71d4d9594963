import PolicyAdministration
import Vocabulary

/// What will be changed, in this order: policy first, then whom sshd asks, then who else hears of a session. So at every moment sshd's configuration is
/// one that it takes, and whoever it asks can answer.
public struct ServerPlan: Sendable {
    public internal(set) var changes: [ServerChange] = []
    /// Sentences for a person, escaped: what is taken over, what will not be as it was.
    public internal(set) var notes: [String] = []
    /// Whether this has never come to its end here: then sshd is reloaded although nothing has to be written.
    public internal(set) var isFirst = true
    /// What sshd will run, with its tokens.
    var command = ""
    /// Asked after us from here on.
    var other: OtherCommand?
    /// Whether the other one is new behind us, and so to be tried.
    var triesOther = false
    /// For whom it is looked whether sshd asks us: those who are allowed, and root.
    var accounts: [String] = []
    /// As whom a trial login is made; nil where there is nobody.
    var trialAccounts: [String] = []
    /// With the issuer that was found.
    var allowed: [Allowed] = []
    /// The text of `providers` as it will be.
    var providers: [UInt8] = []
    /// Whom somebody is to log in with from now on.
    var issuers: [Text] = []

    struct Allowed: Sendable {
        let request: AllowRequest
        let issuer: Text
        /// Of the first row of that issuer's.
        let clientID: Text

        /// What they type.
        var login: String {
            if let alias = KnownIssuer.alias(of: issuer, clientID) { return "opk login \(alias)" }
            let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@%+-".utf8)
            let word = issuer.string + "," + clientID.string
            let quote = word.utf8.allSatisfy { plain.contains($0) || $0 == UInt8(ascii: ",") } ? "" : "'"
            return "opk login --provider \(quote)\(Text(word).escaped(limit: 400))\(quote)"
        }
    }

    public var isNothing: Bool { changes.isEmpty && !isFirst }
    public var lines: [String] { changes.flatMap(\.lines) }

    /// Who may log in now, a line each.
    public var allowedWords: [String] {
        allowed.map {
            "\($0.request.email.escaped(limit: 200)) may log in as \($0.request.account.escaped(limit: 100)): \($0.login), then ssh"
        }
    }
}
