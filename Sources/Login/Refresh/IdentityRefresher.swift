public import ChildProcess
public import HTTP
public import Identities
import JOSE
import OIDC
import PKToken
import SSHAgent
import SSHKeys
import SafeFiles
public import TokenStore
public import Vocabulary

/// Gives an identity a fresh ID token while its provider allows it (OpenID Connect Core section 12; `oidc-refreshed` on servers): the same key, a
/// certificate that holds the fresh token as well.
///
/// One refresh at a time for each identity, in whatever process. What the provider gives is on the disk before anything else is done with it.
public struct IdentityRefresher: Sendable {
    /// The person's `~/.opk`.
    public let home: String
    public let identities: IdentityFolder
    public let tokens: TokenStore
    let http: HTTPClient
    let environment: ProcessEnvironment
    let lock: IdentityLock

    public init(below home: String, http: HTTPClient = HTTPClient(), environment: ProcessEnvironment = .inherited()) {
        self.home = home
        self.http = http
        self.environment = environment
        identities = IdentityFolder(below: home)
        tokens = TokenStore(below: home, environment: environment)
        lock = IdentityLock(below: home)
    }

    public enum Outcome: Sendable, Hashable {
        /// Until the certificate's end; nil for never.
        case refreshed(until: UnixTime?)
        /// Not before then.
        case notDue(UnixTime)
        /// There is no such identity any more, or none with a refresh token.
        case nothingToDo
    }

    /// - Parameter isForced: now, due or not.
    public func refresh(_ name: IdentityName, isForced: Bool = false, now: UnixTime = .now()) throws(RefreshError) -> Outcome {
        try lock.hold(name, waitingAtMost: 0) { () throws(RefreshError) in
            guard let identity = try record(name), let place = identity.refreshToken else { return .nothingToDo }
            do throws(RefreshError) {
                return try refresh(identity, from: place, isForced, now)
            } catch {
                if error.consequence == .drop { drop(identity, place) }
                throw error
            }
        }
    }

    private func record(_ name: IdentityName) throws(RefreshError) -> StoredIdentity? {
        do throws(UnsafeFile) {
            return try identities.read(name)
        } catch {
            throw .record(error)
        }
    }

    /// Everything on this machine is looked at before the provider is asked: a token that works once is not to be wasted.
    private func refresh(_ identity: StoredIdentity, from place: RefreshTokenPlace, _ isForced: Bool, _ now: UnixTime)
        throws(RefreshError) -> Outcome
    {
        let held = try held(identity)
        if !isForced, let due = RefreshSchedule.due(held), now < due { return .notDue(due) }
        let token = try token(of: identity, held, place)
        if !token.movesEnd, let ends = held.ends, ends <= now { throw .over }
        let signer = try IdentitySigner(of: identity, held, environment: environment)
        let provider = try RefreshProvider(token, http: http)
        let keys = try provider.keys()
        OrderlyStop.allow(.soon)
        defer { OrderlyStop.allow(.atOnce) }
        let answer = try provider.refresh(token.token)
        OrderlyStop.allow(.later)
        var next = token
        // Before the old one is forgotten, and before anything else can fail (C30).
        if let rotated = answer.refreshToken {
            next.token = rotated
            try kept(next, identity.name, place)
        }
        let fresh = try FreshIdentity(answer, held, token, keys: keys, again: provider.keys, now: now)
        let certificate = try fresh.certificate(signedBy: signer, movesEnd: token.movesEnd, now: now)
        try held.replace(by: certificate, of: identity)
        let warning = addToAgent(certificate, signer, identity, now)
        var record = identity
        record.ends = certificate.end
        try write(record)
        if let warning { throw .agent(warning) }
        return .refreshed(until: certificate.end)
    }

    private func held(_ identity: StoredIdentity) throws(RefreshError) -> HeldCertificate {
        do throws(HeldCertificate.Fault) {
            return try identity.heldCertificate()
        } catch {
            var isGone = true
            if case .unusable = error { isGone = false }
            throw .certificate(path: identity.certificateFile, why: error.sentence, isGone: isGone)
        }
    }

    private func token(of identity: StoredIdentity, _ held: HeldCertificate, _ place: RefreshTokenPlace) throws(RefreshError)
        -> StoredRefreshToken
    {
        let found: StoredRefreshToken?
        do throws(TokenStoreError) {
            found = try tokens.token(identity.name, in: place)
        } catch {
            throw .store(error)
        }
        guard let found else { throw .tokenGone }
        guard found.issuer == identity.issuer, found.clientID == identity.clientID, held.token.payload["iss"]?.string == found.issuer else {
            throw .tokenOfAnother
        }
        return found
    }

    private func kept(_ token: StoredRefreshToken, _ name: IdentityName, _ place: RefreshTokenPlace) throws(RefreshError) {
        do throws(TokenStoreError) {
            try tokens.keep(token, name, in: place)
        } catch {
            throw .store(error)
        }
    }

    func write(_ record: StoredIdentity) throws(RefreshError) {
        do throws(WriteFailure) {
            try identities.write(record)
        } catch {
            throw .writing(error)
        }
    }

    /// A token that is worth nothing is not tried again, by anybody (C30). What cannot be removed is refused once more and then dropped again.
    private func drop(_ identity: StoredIdentity, _ place: RefreshTokenPlace) {
        // While it is still somewhere, the record says so, for a logout.
        guard (try? tokens.remove(identity.name, from: place)) != nil else { return }
        var record = identity
        record.refreshToken = nil
        try? identities.write(record)
    }

    /// Where the agent has the key beside the file, it gets the new certificate for the old one.
    private func addToAgent(_ certificate: SSHCertificate, _ signer: IdentitySigner, _ identity: StoredIdentity, _ now: UnixTime)
        -> AgentError?
    {
        guard identity.store == .both, case .file(let key) = signer else { return nil }
        do throws(AgentError) {
            let agent = try SSHAgent.connect(environment: environment)
            let old = try agent.identities().filter { $0.holds(publicKey: identity.publicKey) }
            let constraints = try AgentConstraints(for: certificate, at: now)
            try agent.add(key, certificate: certificate, comment: KeyKeeping.agentComment(identity.name), constraints: constraints)
            try agent.removeAll { found in old.contains(found) && found.certificate != nil }
            return nil
        } catch {
            return error
        }
    }
}

extension SSHCertificate {
    /// Nil for never.
    var end: UnixTime? { validBefore == .max ? nil : UnixTime(seconds: Int64(clamping: validBefore)) }
}
