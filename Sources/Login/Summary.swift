import Display
public import Identities
import PKToken
import SSHKeys
public import Vocabulary

/// What a person reads at the end of a login that succeeded.
public struct Summary: Sendable {
    private let result: LoginResult
    /// Nil where the key was printed and not kept.
    private let place: KeyPlace?
    /// Whether ssh finds the key by itself.
    private let isUsualPlace: Bool
    private let store: KeyStore
    private let hosts: [Text]
    private let isKeptAlive: Bool
    private let login: String

    /// - Parameters:
    ///   - hosts: for which ssh has been told to use it (`opk setup ssh`).
    ///   - isKeptAlive: whether it has a refresh token that is kept.
    ///   - login: how it was called for, as a person would type it again.
    public init(
        _ result: LoginResult, place: KeyPlace?, isUsualPlace: Bool, store: KeyStore = .file, hosts: [Text] = [], isKeptAlive: Bool = false,
        login: String = "opk login"
    ) {
        self.hosts = hosts
        self.isKeptAlive = isKeptAlive
        self.login = login
        self.result = result
        self.place = place
        self.isUsualPlace = isUsualPlace
        self.store = store
    }

    public func lines(now: UnixTime) -> [String] {
        var lines = ["Logged in as \(result.who.escaped(limit: 200)) at \(result.identity.issuer.escaped(limit: 200))."]
        if result.isJob {
            lines.append("Servers know this job by its subject, or by other claims.")
        } else if result.identity.email == nil {
            lines.append(
                "The provider gave no email address: servers know this identity by its subject, or by other claims. (Where there "
                    + "should be one: \(login) --scopes 'openid email')")
        }
        if EmailClaim(result.identity.claims)?.verification == .unverified {
            lines.append(
                "The provider says that this email address is not verified: servers do not admit anybody by it. Verify it there and "
                    + "log in again.")
        }
        if let ends = result.ends {
            lines.append("Good until \(ends.local) (\(RelativeTime.text(ends, from: now))), on servers that allow it so long.")
            if isKeptAlive { lines.append(renewal) }
        } else {
            lines.append("The certificate has no end of its own; servers decide how long it is good for.")
        }
        if let place {
            let path = Text(place.privateKey).escaped
            let key =
                switch store {
                case .file: path
                case .agent: "in ssh-agent alone"
                case .both: "\(path), and in ssh-agent"
                }
            lines.append("Key: \(key) (certificate: \(Text(place.certificate).escaped))")
            if !hosts.isEmpty {
                lines.append("ssh uses it for \(hosts.map { $0.escaped(limit: 80) }.joined(separator: " ")): ssh \(account)@HOST")
                return lines
            }
            // ssh tries what is in the agent, too; but a renewed certificate is in its file alone.
            let isLost = isKeptAlive && store == .agent && !isUsualPlace
            let isFound = isUsualPlace || store.usesAgent
            let option = isLost ? place.agentOptions + " " : isFound ? "" : "-i \(Shell.quoted(path)) "
            lines.append("Connect: ssh \(option)\(account)@HOST")
            if isLost {
                lines.append(
                    "(ssh alone finds it until its first renewal; after `opk setup ssh` always, for the hosts that are named there.)")
            }
        }
        return lines
    }

    private var renewal: String {
        result.identity.row.expiry == .oidc
            ? "That end moves each time it is renewed: while `opk agent-refresh` runs, and as long as the provider allows."
            : "Its ID token is renewed while `opk agent-refresh` runs and the provider allows it; that end stays."
    }

    /// The account that the certificate is restricted to, if there is one.
    private var account: String {
        guard let first = result.identity.certificate.principals.first, first != .wildcard else { return "USER" }
        return first.description
    }
}
