public import SSHAgent
public import SafeFiles
public import TokenStore
public import Vocabulary

/// Why an identity was not refreshed: a closed list. No case holds a token or a key. The texts are escaped and whole sentences.
public enum RefreshError: Error, Sendable {
    // What is on this machine
    /// Its refresh token is not where it was kept: the machine was started anew, or somebody took it away.
    case tokenGone
    case store(TokenStoreError)
    /// The token is another provider's or client's than the certificate is.
    case tokenOfAnother
    /// The certificate is not what the login wrote. `isGone`: not there, or another login has taken its place.
    case certificate(path: String, why: String, isGone: Bool)
    case key(String)
    case agent(AgentError)
    case files(LoginError)
    case record(UnsafeFile)
    case writing(WriteFailure)
    /// The certificate has the end that the person gave it, and that has come.
    case over
    /// A login or another refresh has this identity in hand.
    case busy

    // What the provider said
    case provider(String)
    case keys(String)
    /// The provider's `error` and `error_description`: hostile.
    case refused(error: Text, description: Text?)
    /// The login came without one.
    case noRefreshToken
    case noIDToken
    case noAccessToken
    case accessTokenHash
    /// The refreshed ID token is not this login's (C29).
    case notThisLogin(String)
    case identity(Refusal)

    /// What follows for the refresh token.
    public enum Consequence: Sendable {
        /// Nothing: what went wrong may be right again in a while.
        case tryAgain
        /// It is worth nothing any more and is dropped; only a login helps (C30).
        case drop
    }

    public var consequence: Consequence {
        switch self {
        // With a home folder that machines share it may be in another one's keyring: what the record says stays.
        case .tokenGone: .tryAgain
        case .over, .noRefreshToken, .noIDToken, .noAccessToken, .accessTokenHash, .notThisLogin, .tokenOfAnother: .drop
        case .refused(let error, _): error == "invalid_grant" ? .drop : .tryAgain
        case .store(.malformed): .drop
        case .certificate(_, _, let isGone): isGone ? .drop : .tryAgain
        default: .tryAgain
        }
    }
}

extension RefreshError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tokenGone: "its refresh token is gone from where it was kept"
        case .store(let error): "\(error)"
        case .tokenOfAnother:
            "the refresh token that is kept under this name belongs to another provider or client, and is not sent anywhere"
        case .certificate(let path, let why, _): "its certificate \(Text(path).escaped) cannot be renewed: \(why)"
        case .key(let why): "its private key cannot be used: \(why)"
        case .agent(let error): "its private key cannot be used: \(error)"
        case .files(let error): "\(error)"
        case .record(let error): "\(error)"
        case .writing(let failure): "\(failure)"
        case .over: "its certificate has reached the end that it was given"
        case .busy: "another opk has it in hand"
        case .provider(let why): "the provider gave no fresh identity: \(why)"
        case .keys(let why): "the provider's keys cannot be had: \(why)"
        case .refused("invalid_grant", let words):
            "the provider takes its refresh token no more" + (words.map { " (\($0.escaped(limit: 300)))" } ?? "")
        case .refused(let error, let words):
            "the provider said no: \(error.escaped(limit: 60))" + (words.map { " (\($0.escaped(limit: 300)))" } ?? "")
        case .noRefreshToken: "the provider gave no refresh token"
        case .noIDToken:
            "this provider gives no ID token for a refresh token, so it cannot keep an identity alive (OpenID Connect leaves that open to it)"
        case .noAccessToken: "the provider gave no access token, which its certificate carries"
        case .accessTokenHash: "the access token is not the one that the fresh identity speaks of (at_hash)"
        case .notThisLogin(let why): "what the provider gave is refused: \(why)"
        case .identity(let refusal): "a server would refuse the fresh identity: \(refusal)"
        }
    }

    /// What to do about it, where that can be guessed.
    public var hint: String? {
        switch self {
        case .tokenGone, .certificate, .key, .refused("invalid_grant", _), .notThisLogin, .tokenOfAnother, .over:
            "run `opk login --refresh` again"
        case .noRefreshToken: "see whether the client may have one at the provider, and which scope asks for it (--scopes)"
        case .noIDToken: "log in again when the identity ends"
        case .store(let error): error.hint
        case .agent(let error): error.hint
        default: nil
        }
    }
}
