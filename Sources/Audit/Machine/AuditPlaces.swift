import FetchSetup
import KeyCache

/// Where everything is that is looked at. Tests put their own places here.
public struct AuditPlaces: Sendable {
    public var configFolder = FetchSettings.defaultFolder
    /// In the place of those in `configFolder`; nil for those.
    public var providersFile: String?
    public var authIDFile: String?
    public var cacheFolder = KeyCache.defaultDirectory
    public var stateFolder = "/var/lib/opk"
    public var auditFolder = "/var/log/opk"
    /// Who reads logs; nobody where there is no such group.
    public var auditGroup = "adm"
    /// The folder above `bin` and `libexec`.
    public var prefix: String
    /// Nil where there is none.
    public var sshd: String?
    /// What sshd is asked to read in the place of its own; nil for that.
    public var sshdConfig: String?
    public var sudo = "/usr/bin/sudo"
    public var visudo = "/usr/sbin/visudo"
    public var sudoers = "/etc/sudoers.d/opk"
    /// What has to include that one's folder.
    public var mainSudoers = "/etc/sudoers"
    /// Is there where systemd runs.
    public var systemd = "/run/systemd/system"
    public var fetchSocket = "/run/opk/fetch.socket"
    public var logSocket = "/dev/log"
    /// The accounts that the installation makes.
    public var verifierUser = "opksshuser"
    public var fetcherUser = "opkfetch"
    /// Whose home files are looked at; nil for those of every account that the system lists.
    public var homes: [Account]?
    public var looksAtHomes = true
    /// False: only the files of the policy, as in a repository of policies.
    public var looksAtMachine = true
    /// Where what PAM does is written, by service.
    public var pamFolder = "/etc/pam.d"
    /// Made anew by each run of `opk sessions enforce`.
    public var enforced = "/run/opk/sessions/enforced"
    public var dropIn = "/etc/ssh/sshd_config.d/60-opk.conf"
    public var cron = "/etc/cron.d/opk-keys"
    /// Is there where Debian's package installed the programs in /usr.
    public var packageMark = "/usr/share/doc/opk-server/changelog.Debian.gz"
    /// What tells that opkssh is here as well.
    public var opksshFiles = [
        "/usr/local/bin/opkssh", "/usr/bin/opkssh", "/etc/ssh/sshd_config.d/60-opk-ssh.conf", "/etc/sudoers.d/opkssh",
    ]
    /// Whether the policy is this machine's own, whose files only root may own; nil: where it lies in the default folder.
    public var isSystem: Bool?
    public var clock: @Sendable () -> ClockState = ClockState.now

    public init(prefix: String = "/usr/local") { self.prefix = prefix }

    public var helperFolder: String { prefix + "/libexec/opk" }
    public var verifier: String { helperFolder + "/opk-verify" }
    public var providers: String { providersFile ?? configFolder + "/providers" }
    public var authID: String { authIDFile ?? configFolder + "/auth_id" }
    public var config: String { configFolder + "/config.yml" }
    public var revoked: String { configFolder + "/revoked" }
    public var pluginFolder: String { configFolder + "/policy.d" }

    /// What brings back what the installation makes.
    public var reinstall: String {
        prefix == "/usr" && FileFacts(packageMark) != nil ? "apt-get install --reinstall opk-server" : "make install"
    }

    /// The group that may read the policy; nil where there is no such account.
    var verifierGroup: String? { Account.named(verifierUser).map { Group.name(of: $0.group) } }

    /// Whether the policy is this machine's own, which only root may change.
    public var isSystemFolder: Bool { isSystems }

    /// In another folder than the system's own, files may belong to the user who runs the command.
    var isSystems: Bool { isSystem ?? (configFolder == FetchSettings.defaultFolder) }
}
