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
    var allowed: [(request: AllowRequest, issuer: Text)] = []

    public var isNothing: Bool { changes.isEmpty && !isFirst }
    public var lines: [String] { changes.flatMap(\.lines) }

    /// Who may log in now, a line each.
    public var allowedWords: [String] {
        allowed.map {
            "\($0.request.email.escaped(limit: 200)) may log in as \($0.request.account.escaped(limit: 100)): opk login, then ssh"
        }
    }
}
