import Audit
import PolicyAdministration

/// Where everything is that `opk setup server` reads and writes. Tests put their own places here.
public struct ServerPlaces: Sendable {
    public var configFolder = PolicyPlace.defaultFolder
    /// sshd's own file, which includes the others.
    public var sshdConfig = "/etc/ssh/sshd_config"
    public var dropInFolder = "/etc/ssh/sshd_config.d"
    /// Where the journal and the trial are. An installation makes it; where it was taken away since, it is made.
    public var stateFolder = "/var/lib/opk"
    /// opk-verify's files in there, each with its size in bytes, as `scripts/install-system` makes them.
    static let counted = [(name: "refusals", size: 4096), (name: "recent", size: 135_168)]
    public var pam = "/etc/pam.d/sshd"
    /// Made where sessions are recorded and they are missing, with these modes.
    public var sessionFolders: [(path: String, mode: UInt32)] = [("/var/log/opk", 0o755), ("/run/opk/sessions", 0o700)]
    public var lock = "/run/opk-setup.lock"
    /// sshd keeps its privileges apart in there, and does not start without it.
    public var runFolder = "/run/sshd"
    /// Is there where systemd runs.
    public var systemd = "/run/systemd/system"
    /// The folder above `bin` and `libexec`.
    public var prefix: String
    public var sshd: String
    public var verifierUser = "opksshuser"

    public init(prefix: String, sshd: String) {
        self.prefix = prefix
        self.sshd = sshd
    }

    public var verifier: String { prefix + "/libexec/opk/opk-verify" }
    public var sessionProgram: String { prefix + "/libexec/opk/opk-session" }
    public var providers: String { configFolder + "/providers" }
    public var authID: String { configFolder + "/auth_id" }
    public var journal: String { stateFolder + "/setup.json" }
    var trial: String { stateFolder + "/.trial" }
}
