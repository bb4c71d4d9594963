import KeyAdministration
import Policy
import SafeFiles
public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Looks a server over: everything that is wrong, risky or dead. It changes nothing and asks nobody over the network.
public struct Auditor {
    let places: AuditPlaces
    let now: UnixTime
    var found = FindingList()
    /// As whom sshd runs opk-verify: what sshd says, else the account that the installation makes. Nil where there is no such account.
    var verifierAccount: Account?
    /// Those that rows name, looked up once.
    private var accounts: [Text: Account?] = [:]
    var policy = PolicyFacts()
    var sshdVersion: SSHDVersion?

    public static func audit(_ places: AuditPlaces, at now: UnixTime = .now()) -> AuditReport {
        var auditor = Auditor(places: places, now: now)
        auditor.run()
        return AuditReport(auditor)
    }

    private init(places: AuditPlaces, now: UnixTime) {
        (self.places, self.now) = (places, now)
        verifierAccount = Account.named(places.verifierUser)
    }

    private mutating func run() {
        let sshd = places.looksAtMachine ? askSSHD() : nil
        // Whoever runs another program's command need not read our files.
        if let sshd, asksOurs(sshd), let user = sshd.first("authorizedkeyscommanduser"), let account = Account.named(user) {
            verifierAccount = account
        }
        readPolicy()
        auditProviders()
        auditConfig()
        auditRows()
        auditRevoked()
        auditPlugins()
        if places.looksAtHomes { auditHomes() }
        guard places.looksAtMachine else { return }
        if let sshd { audit(sshd) }
        auditPrograms()
        auditCommand()
        auditWays()
        auditCache()
        auditState()
        auditTrail()
        auditMinute()
        auditOpkssh()
    }

    var trust: FileTrust { places.isSystems ? .rootOnly : .rootOrUser(geteuid()) }

    mutating func account(_ name: Text) -> Account? {
        if let known = accounts[name] { return known }
        let account = Account.named(name.string)
        accounts[name] = account
        return account
    }
}
