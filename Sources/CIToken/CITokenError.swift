public import HTTP
public import Vocabulary

/// Why a job of a CI system has no identity: a closed list. CITokenErrorWording.swift says it.
///
/// No case carries a token.
public enum CITokenError: Error, Sendable {
    // The call
    case notInside(CISystem)
    case otherSystem(CISystem, running: CISystem)

    // The workflow
    /// The runner gave no address, or no token, to ask for an identity with.
    case notPermitted(CISystem)
    /// GitLab put no token into the environment.
    case noToken
    case tokenMalformed
    /// The token's own, which is not one for PK tokens; nil where it is no single text.
    case audience(Text?)
    /// Given when the job started.
    case expired(UnixTime, UnixTime)

    // The system
    /// The address is no URL that may be asked: the words say why.
    case requestURL(String)
    /// Neither GitHub's address nor that of a Forgejo.
    case unknownOrigin(host: Text)
    case request(CISystem, HTTPError)
    case status(CISystem, Int)
    case answer(CISystem, String)
    case otherIssuer(Text?, expected: Text)
    /// Only RS256 can be proven without showing it.
    case algorithm(Text?)
    case noKey
    case signature

    /// Whether the command was called wrongly: nothing was tried.
    public var isUsage: Bool {
        switch self {
        case .notInside, .otherSystem: true
        default: false
        }
    }
}
