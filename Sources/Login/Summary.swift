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

    /// - Parameter hosts: for which ssh has been told to use it (`opk setup ssh`).
    public init(_ result: LoginResult, place: KeyPlace?, isUsualPlace: Bool, store: KeyStore = .file, hosts: [Text] = []) {
        self.hosts = hosts
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
                    + "should be one: opk login --scopes 'openid email')")
        }
        if EmailClaim(result.identity.claims)?.verification == .unverified {
            lines.append(
                "The provider says that this email address is not verified: servers do not admit anybody by it. Verify it there and "
                    + "log in again.")
        }
        if let ends = result.ends {
            lines.append("Good until \(ends.local) (\(RelativeTime.text(ends, from: now))), on servers that allow it so long.")
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
            // ssh tries what is in the agent, too.
            let isFound = isUsualPlace || store.usesAgent
            lines.append("Connect: ssh \(isFound ? "" : "-i \(Summary.quoted(path)) ")\(account)@HOST")
        }
        return lines
    }

    /// As a shell takes it for one word.
    private static func quoted(_ word: String) -> String {
        let plain = word.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "+")...UInt8(ascii: "9"): true
            case UInt8(ascii: "_"), UInt8(ascii: "@"), UInt8(ascii: "%"): true
            default: byte >= 0x80
            }
        }
        guard !plain else { return word }
        let inside = word.unicodeScalars.map { $0 == "'" ? "'\\''" : String($0) }.joined()
        return "'\(inside)'"
    }

    /// The account that the certificate is restricted to, if there is one.
    private var account: String {
        guard let first = result.identity.certificate.principals.first, first != .wildcard else { return "USER" }
        return first.description
    }
}
