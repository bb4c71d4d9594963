import LibCrypto
import PKToken
import Policy
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
    public private(set) var record = DecisionRecord()

    /// Lines printed for one login.
    static var maximumLines: Int { 16 }

    public init(_ sources: Sources, at now: UnixTime) {
        self.sources = sources
        self.now = now
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
        let line = try AuthorizedKeysLine(selfSigned, as: account)
        let token = try selfSigned.token()
        record.note(token)
        let config = try sources.serverConfig()
        let row = try row(token, in: try sources.providers())
        let timely = try token.checked(against: row, at: now)
        let identity = try timely.verify(with: try sources.keys(for: timely))
        record.note(identity)
        let admitting = try authorize(identity, as: account, config)
        record.rows = admitting.map(\.line)
        return admitting.map { _ in line }.uniqued(atMost: Verification.maximumLines)
    }

    /// Step 9. Userinfo is asked only where the ID token alone does not admit.
    private mutating func authorize(_ identity: VerifiedIdentity, as account: Principal, _ config: ServerConfig) throws(Refusal)
        -> [AuthRow]
    {
        let authID = try sources.authID(for: account, naming: identity)
        var decision = Policy.authorize(identity, as: account, authID: authID, config: config, userinfo: .notAsked)
        if case .needsUserinfo = decision {
            let answer = identity.accessToken.flatMap { sources.userinfo(for: identity, accessToken: $0) }
            let userinfo = answer.flatMap { verified($0, for: identity) }
            decision = Policy.authorize(
                identity, as: account, authID: authID, config: config, userinfo: userinfo.map(UserinfoAnswer.verified) ?? .unavailable)
        }
        switch decision {
        case .admitted(let rows): return rows
        case .refused(let refusal): throw refusal
        case .needsUserinfo: throw Refusal(.noRowAdmits, "userinfo was asked and gave nothing")
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

extension Array where Element: Equatable {
    /// Each element once, where it came first, and no more than `limit` of them.
    fileprivate func uniqued(atMost limit: Int) -> [Element] {
        var found: [Element] = []
        for element in self where found.count < limit && !found.contains(element) { found.append(element) }
        return found
    }
}
