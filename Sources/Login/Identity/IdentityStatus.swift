import ChildProcess
public import Identities
import JOSE
import LibCrypto
import PKToken
import SSHAgent
import SSHConfiguration
import SSHKeys
import SafeFiles
public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What is true of one identity of this laptop now: by its certificate and its key, not by what was written down at login. Asks no network.
public struct IdentityStatus: Sendable {
    public enum State: String, Sendable {
        /// ssh can use it.
        case good
        case expired
        /// Something of it is missing or not what opk wrote.
        case damaged
    }

    /// Nil for one that is not registered: an opkssh's, or an earlier opk's.
    public let name: IdentityName?
    public let state: State
    /// Hostile, as are issuer and client id.
    public let who: Text
    public let subject: Text?
    public let issuer: Text
    public let clientID: Text?
    /// When the certificate ends; nil for never.
    public let ends: UnixTime?
    public let store: KeyStore
    /// Whether ssh-agent holds its key; nil where it need not.
    public let isInAgent: Bool?
    public let keyFile: String
    public let certificateFile: String
    /// What `opk setup ssh --hosts` says now, else what the configuration said at the login.
    public let hosts: [Text]
    public let refreshToken: RefreshTokenPlace?
    /// Whether a refresher runs that looks after it; nil where it has no refresh token.
    public let isLookedAfter: Bool?
    /// What has to run for that, where none does.
    public let refresherToStart: String?
    /// What ssh has to be told so that it finds a renewed certificate; nil where it does by itself.
    public let options: String?
    /// When its ID token was refreshed the last time; nil where it never was.
    public let refreshedAt: UnixTime?
    /// What is wrong, a sentence each.
    public let problems: [String]
    /// What to run so that it is good again; nil where it is, or nobody knows.
    public let remedy: String?

    public var publicKeyFile: String { keyFile + ".pub" }
}

extension IdentityStatus {
    /// What ssh-agent holds, asked once for all identities.
    struct AgentView: Sendable {
        let identities: [AgentIdentity]
        /// Why nothing is known; nil where it answered.
        let problem: String?
        let isLocked: Bool

        /// Milliseconds: a prompt does not wait for an agent that hangs.
        static let patience: Int64 = 500

        init(environment: ProcessEnvironment) {
            do throws(AgentError) {
                let agent = try SSHAgent.connect(environment: environment, patience: AgentView.patience)
                let held = try agent.identities()
                // A locked agent shows none of its keys: it has to be seen that it would take one.
                if held.isEmpty { try agent.check(taking: .ed25519) }
                (identities, problem, isLocked) = (held, nil, false)
            } catch {
                (identities, problem, isLocked) = ([], "\(error)", error == .locked)
            }
        }

        func holds(_ key: [UInt8]) -> Bool { identities.contains { $0.holds(publicKey: key) } }
    }

    /// What is asked once for all identities.
    struct Surroundings {
        let home: String
        /// Nil where nobody's key is in an agent.
        let agent: AgentView?
        let environment: ProcessEnvironment
        let given: [HostIdentity]
        /// Of the configured providers.
        let aliases: Set<Text>
        let refreshers: RefresherPresence

        init(home: String, agent: AgentView?, environment: ProcessEnvironment) {
            self.home = home
            self.agent = agent
            self.environment = environment
            given = SSHSetup.given(home: home)
            aliases = Set(((try? ClientConfig.read(environment: environment))?.listed ?? []).flatMap(\.provider.aliases).map { Text($0) })
            refreshers = RefresherPresence(below: home + "/.opk")
        }

        func hosts(_ record: StoredIdentity) -> [Text] {
            given.first { $0.name == record.name }.map { $0.patterns.map(\.text) } ?? record.hosts
        }

        /// The login that would make it anew.
        func login(_ record: StoredIdentity) -> String {
            var words = ["opk login"]
            if aliases.contains(Text(record.name.text)) {
                words.append(record.name.text)
            } else {
                words.append("--provider " + Shell.quoted("\(record.issuer.escaped(limit: 200)),\(record.clientID.escaped(limit: 200))"))
            }
            if record.store != .file { words.append("--store \(record.store.rawValue)") }
            if record.refreshToken != nil { words.append("--refresh") }
            return words.joined(separator: " ")
        }

        /// ssh is shown the certificate by its own file, where that is set up; else it finds those of usual names.
        func findsCertificate(of record: StoredIdentity) -> Bool {
            if record.store.usesFile || record.refreshToken == nil { return true }
            return KeyPlace.isSetUp(home) && !hosts(record).isEmpty || record.place.isTriedBySSH(home: home)
        }
    }

    init(of record: StoredIdentity, in surroundings: Surroundings, now: UnixTime) {
        let agent = surroundings.agent
        var problems: [String] = []
        var held: HeldCertificate?
        do throws(HeldCertificate.Fault) {
            held = try record.heldCertificate()
        } catch {
            problems.append("its certificate \(Text(record.certificateFile).escaped): \(error.sentence)")
        }
        if record.store.usesFile, let problem = IdentityStatus.problem(ofKeyFile: record) { problems.append(problem) }
        let inAgent = record.store.usesAgent ? agent?.holds(record.publicKey) ?? false : nil
        let agentLacks = inAgent == false
        let ends = held.map(\.ends) ?? record.ends
        let expired = ends.map { $0 <= now } ?? false
        // An agent forgets a key when its certificate ends.
        if agentLacks, !expired {
            let why = agent?.problem.map { ": \($0)" } ?? ""
            let sentence = "ssh-agent does not hold its key" + why
            problems.append(record.store.usesFile ? sentence + " (its file does)" : sentence)
        }
        let isFatal = held == nil || problems.contains { !$0.hasSuffix("(its file does)") }
        name = record.name
        state = expired ? .expired : isFatal ? .damaged : .good
        let claims = held?.token.payload
        remedy = state == .good ? nil : agent?.isLocked == true && agentLacks && !expired ? "ssh-add -X" : surroundings.login(record)
        who = claims.flatMap { EmailClaim($0)?.address ?? $0["sub"]?.string } ?? record.who
        subject = claims?["sub"]?.string ?? record.subject
        issuer = claims?["iss"]?.string ?? record.issuer
        clientID = record.clientID
        self.ends = ends
        store = record.store
        isInAgent = inAgent
        keyFile = record.keyFile
        certificateFile = record.certificateFile
        hosts = surroundings.hosts(record)
        refreshToken = record.refreshToken
        isLookedAfter = record.refreshToken.map { _ in surroundings.refreshers.isAnnounced(record.name) }
        refresherToStart = isLookedAfter == false ? RefreshService.start(surroundings.environment) : nil
        options = surroundings.findsCertificate(of: record) ? nil : record.place.agentOptions
        refreshedAt = held?.refreshed?["iat"]?.number?.time
        self.problems = problems
    }

    /// A key at one of ssh's usual places that no record speaks of. Nil where there is none of opk's or opkssh's.
    init?(unregistered place: KeyPlace, now: UnixTime) {
        guard place.occupancy() == .ours, let held = try? HeldCertificate(at: place, for: nil) else { return nil }
        let claims = held.token.payload
        name = nil
        var problems: [String] = []
        if unsafe access(place.privateKey, F_OK) != 0 { problems.append("its private key \(Text(place.privateKey).escaped) is not there") }
        state = held.ends.map { $0 <= now } ?? false ? .expired : problems.isEmpty ? .good : .damaged
        remedy = state == .good ? nil : "opk login"
        who = EmailClaim(claims)?.address ?? claims["sub"]?.string ?? ""
        subject = claims["sub"]?.string
        issuer = claims["iss"]?.string ?? ""
        clientID = claims["azp"]?.string ?? claims["aud"]?.string
        ends = held.ends
        store = .file
        isInAgent = nil
        keyFile = place.privateKey
        certificateFile = place.certificate
        hosts = []
        refreshToken = nil
        isLookedAfter = nil
        refresherToStart = nil
        options = nil
        refreshedAt = held.refreshed?["iat"]?.number?.time
        self.problems = problems
    }

    /// Nil where it is the identity's.
    private static func problem(ofKeyFile record: StoredIdentity) -> String? {
        let path = Text(record.keyFile).escaped
        do throws(UnsafeFile) {
            guard let bytes = try SafeFile.read(record.keyFile, trust: .rootOrUser(UInt32(geteuid())), limit: 64 << 10) else {
                return "its private key \(path) is not there"
            }
            guard let outline = try? OpenSSHPrivateKeyFile.outline(bytes) else { return "its private key \(path) is no key file" }
            return outline.publicBlob == record.publicKey ? nil : "its private key \(path) is another login's or somebody else's"
        } catch {
            return "its private key: \(error)"
        }
    }
}
