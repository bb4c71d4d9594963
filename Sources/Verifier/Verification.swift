import LibCrypto
import PKToken
public import Policy
import SSHKeys
public import Vocabulary

/// How a login ended.
public enum Outcome: Sendable {
    /// Another key's business: nothing is printed and nothing logged.
    case notOurs
    /// The lines for sshd, at least one.
    case admitted([AuthorizedKeysLine])
    case refused(Refusal)
}

/// PROTOCOL section 5 from the first step to the last: local checks first, the network only when all of them hold.
public struct Verification<Sources: VerifierSources> {
    private var sources: Sources
    private let now: UnixTime
    /// What is known of the login so far, for the log line.
    public private(set) var record: DecisionRecord
    /// What policy considered, once it was asked.
    public private(set) var deliberation: Deliberation?

    /// - Parameters:
    ///   - id: of the decision, for its log line.
    ///   - isAudited: whether the record is also to have what only the audit log says.
    public init(_ sources: Sources, at now: UnixTime, id: String = "", isAudited: Bool = false) {
        self.sources = sources
        self.now = now
        record = DecisionRecord(id: id, isAudited: isAudited)
    }

    public mutating func decide(_ request: LoginRequest) -> Outcome {
        defer { record.notes += sources.notes }
        do {
            guard let lines = try lines(for: request) else { return .notOurs }
            record.outcome = .admitted
            return .admitted(lines)
        } catch {
            record.outcome = .refused(error)
            return .refused(error)
        }
    }

    /// The row that the token fits. Where none does, a row that does not count because something is wrong with it is the likely cause.
    private func row(_ token: borrowing BoundToken, in providers: Providers) throws(Refusal) -> ProviderRow {
        do {
            return try token.row(in: providers.rows)
        } catch {
            guard let problem = providers.problems.first else { throw error }
            throw Refusal(error.code, "\(error.detail); providers, \(problem) (so it does not count)")
        }
    }

    private mutating func lines(for request: LoginRequest) throws(Refusal) -> [AuthorizedKeysLine]? {
        record.account = request.account
        guard let certificate = try request.certificate() else { return nil }
        guard Digest.isAvailable else { throw Refusal(.cryptographyUnavailable) }
        record.note(certificate)
        let account = try request.principal()
        let selfSigned = try certificate.selfSigned(at: now)
        // Step 10 needs no more than this, so a certificate for other accounts costs nobody a fetch.
        let key = try CertifiedKey(selfSigned, as: account)
        let token = try selfSigned.token()
        record.note(token)
        let config = try sources.serverConfig()
        let row = try row(token, in: try sources.providers())
        let timely = try token.checked(against: row, at: now, skew: config.skew)
        let identity = try timely.verify(with: try sources.keys(for: timely))
        record.note(identity)
        let authorization = try authorize(identity, as: account, config)
        let answer = AuthorizedKeysLine.lines(for: authorization, key)
        record.note(answer.grants)
        return answer.lines
    }

    /// Step 9. What is asked for beyond root's files is asked only where those do not admit, and each once.
    private mutating func authorize(_ identity: VerifiedIdentity, as account: Principal, _ config: ServerConfig) throws(Refusal)
        -> Authorization
    {
        let key = Text(identity.certificate.key.sshFingerprint)
        var evidence = Evidence(
            revocations: try sources.revocations(about: identity.revocationSubject(key: key)), clientAddress: sources.clientAddress)
        var authID = try sources.authID(for: account, naming: identity, .notAsked)
        defer { record.note(evidence.userinfo) }
        while true {
            let deliberation = Policy.authorize(identity, as: account, at: now, authID: authID, config: config, evidence: evidence)
            self.deliberation = deliberation
            switch deliberation.verdict {
            case .admitted:
                if let authorization = deliberation.authorization { return authorization }
                throw Refusal(.noRowAdmits)
            case .refused(let refusal): throw refusal
            case .needs(.userID): evidence.userID = sources.userID(of: account)
            case .needs(.home): evidence.home = config.homePolicy ? sources.home(of: account, naming: identity) : .off
            case .needs(.userinfo):
                try askUserinfo(about: identity, key, &evidence)
                if case .verified = evidence.userinfo, authID.othersAskForClaims {
                    authID = try sources.authID(for: account, naming: identity, evidence.userinfo)
                }
            case .needs(.plugins):
                // They are told what userinfo says, too.
                if sources.hasPlugins, identity.accessToken != nil, case .notAsked = evidence.userinfo {
                    try askUserinfo(about: identity, key, &evidence)
                } else {
                    evidence.plugins = sources.hasPlugins ? sources.askPlugins(about: identity, as: account, evidence.userinfo) : .none
                }
            }
        }
    }

    private mutating func askUserinfo(about identity: VerifiedIdentity, _ key: Text, _ evidence: inout Evidence) throws(Refusal) {
        let answer = identity.accessToken.flatMap { sources.userinfo(for: identity, accessToken: $0) }
        let userinfo = answer.flatMap { verified($0, for: identity) }
        evidence.userinfo = userinfo.map(UserinfoAnswer.verified) ?? .unavailable
        // It may know of an email that has been revoked.
        if userinfo != nil {
            evidence.revocations = try sources.revocations(
                about: identity.revocationSubject(key: key, userinfo: evidence.userinfo))
        }
    }
}

extension Verification {
    /// Userinfo that is not about this person, or not JSON, is no claims; the log says so.
    fileprivate mutating func verified(_ answer: [UInt8], for identity: VerifiedIdentity) -> VerifiedUserinfo? {
        do {
            return try VerifiedUserinfo(answer: answer, for: identity)
        } catch {
            record.notes.append("userinfo does not count: \(error.detail)")
            return nil
        }
    }
}
