public import ChildProcess
public import HTTP
public import JOSE
public import Vocabulary

/// The job of a CI system that this process runs in, and how its identity is had.
///
/// GitHub's and Forgejo's jobs ask for one, as often as they like, with the commitment to the key as its audience. GitLab gives each job one
/// when it starts; the commitment then goes into the header of the proof (PROTOCOL section 1).
public struct CIJob: Sendable {
    public let system: CISystem
    /// What the token says as `iss`, and where its keys come from.
    public let issuer: Text
    /// What the row of `providers` on a server has as client id. GitLab's is compared with `aud`; for the others it is only a name.
    public let clientID: Text

    private let source: Source

    private enum Source: Sendable {
        case request(ActionsTokenRequest)
        case given(JWS)
    }

    /// The job of this system, whose environment this is.
    ///
    /// - Throws: what its workflow lacks, or what is wrong with the token that GitLab gave. Nothing is asked of the network.
    public init(_ system: CISystem, in environment: ProcessEnvironment, at now: UnixTime = .now()) throws(CITokenError) {
        self.system = system
        switch system {
        case .github, .forgejo:
            let request = try ActionsTokenRequest(system, environment)
            issuer = request.issuer
            clientID = system.aliases[0]
            source = .request(request)
        case .gitlab:
            let given = try GitLabToken(environment, at: now)
            issuer = given.issuer
            clientID = given.audience
            source = .given(given.token)
        }
    }

    /// The ID token itself, whose signature is a secret: whoever has it can be this job elsewhere.
    ///
    /// - Parameter commitment: to the user's key. Where it cannot be asked for it is not in the token: see `provesCommitment`.
    public func token(for commitment: Text, client: HTTPClient) throws(CITokenError) -> JWS {
        switch source {
        case .request(let request): try request.token(for: commitment, client: client)
        case .given(let token): token
        }
    }

    /// Whether the proof has to carry the commitment, since the token does not.
    public var provesCommitment: Bool {
        if case .given = source { true } else { false }
    }

    /// Whether the token is made when it is asked for, so that its `iat` tells the time.
    public var tokenIsFresh: Bool { !provesCommitment }
}
