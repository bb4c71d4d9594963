public import Identities
public import SafeFiles
public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Why a refresh token could not be kept, read or taken away. No case holds a secret.
public enum TokenStoreError: Error, Hashable, Sendable {
    /// The kernel's keyring, which said this errno.
    case keyring(errno: Int32)
    /// secret-tool is in no folder of PATH.
    case noSecretTool
    /// What secret-tool said: foreign text.
    case secretService(Text)
    case secretServiceTimeout(seconds: Int)
    case file(UnsafeFile)
    case writing(WriteFailure)
    /// What is there is not what opk wrote.
    case malformed(RefreshTokenPlace)
    case tooLarge
}

extension TokenStoreError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .keyring(let number): "the kernel's keyring cannot be used: \(TokenStoreError.wording(number))"
        case .noSecretTool: "the Secret Service cannot be used: secret-tool is not installed"
        case .secretService(let text) where text.isEmpty: "the Secret Service cannot be used"
        case .secretService(let text): "the Secret Service cannot be used: \(text.escaped(limit: 200))"
        case .secretServiceTimeout(let seconds): "the Secret Service gave no answer within \(seconds) seconds"
        case .file(let error): "\(error)"
        case .writing(let failure): "\(failure)"
        case .malformed(let place): "what is kept as a refresh token is none of opk's (\(place.rawValue))"
        case .tooLarge: "the refresh token is too long to be kept"
        }
    }

    /// The next step, where it can be guessed.
    public var hint: String? {
        switch self {
        case .keyring, .secretService, .secretServiceTimeout:
            "keep it elsewhere: --refresh-token-store \(TokenStoreError.alternatives(self)), or refresh_token: in ~/.opk/config.yml"
        case .noSecretTool: "apt-get install libsecret-tools; or keep it elsewhere: --refresh-token-store keyring, or file"
        case .malformed: "run `opk login --refresh` again"
        default: nil
        }
    }

    private static func alternatives(_ error: TokenStoreError) -> String {
        if case .keyring = error { return "secret-service, or file" }
        return "keyring, or file"
    }

    private static func wording(_ number: Int32) -> String {
        switch number {
        case ENOSYS: return "this system has none"
        case EPERM, EACCES: return "this process may not (a container's filter?)"
        case EDQUOT: return "it is full (keyctl show @u)"
        default:
            guard let text = unsafe strerror(number) else { return "error \(number)" }
            return unsafe String(cString: text)
        }
    }
}
