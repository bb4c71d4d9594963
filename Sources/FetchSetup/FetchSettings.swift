public import HTTP
import PKToken
public import Policy
import SafeFiles
public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the administrator says about fetching. It is read here, from root's own files, and not taken from whoever asks: that one runs as
/// another user, and may have been taken over.
public struct FetchSettings: Sendable {
    private let providers: Providers
    private let config: ServerConfig

    public static let defaultFolder = "/etc/opk"

    /// One sentence.
    public struct Failure: Error, Sendable {
        public let sentence: String
        /// The user who runs this may not read it; root may.
        public let isForbidden: Bool

        init(sentence: String, isForbidden: Bool = false) {
            (self.sentence, self.isForbidden) = (sentence, isForbidden)
        }
    }

    /// - Parameter folder: where providers and config.yml lie. In another folder than the default one they may belong to the user who runs
    ///   this, as in tests.
    public init(folder: String = FetchSettings.defaultFolder) throws(Failure) {
        let trust: FileTrust = folder == FetchSettings.defaultFolder ? .rootOnly : .rootOrUser(geteuid())
        do {
            config = try ServerConfig.read(folder + "/config.yml", trust: trust)
        } catch {
            throw Failure(error)
        }
        do {
            providers = try Providers.read(folder + "/providers", trust: trust)
        } catch {
            throw Failure(error)
        }
    }

    /// Those that rows of providers name, each once, in the file's order.
    public var issuers: [Text] {
        var seen: Set<Text> = []
        return providers.rows.map(\.issuer).filter { seen.insert($0).inserted }
    }

    /// Rows of providers that count for nothing.
    public var problems: [RowProblem] { providers.problems }

    public func isTrusted(_ issuer: Text) -> Bool { KeySettings(of: issuer, in: providers, config) != nil }

    /// For an issuer that no row names, what holds for everybody.
    public func keySettings(of issuer: Text) -> KeySettings { KeySettings(of: issuer, in: providers, config) ?? KeySettings(config) }

    public func client(for issuer: Text) -> HTTPClient {
        let settings = keySettings(of: issuer)
        return HTTPClient(timeout: .seconds(settings.timeout.seconds), authorities: settings.authorities?.string)
    }

    /// `env_vars`, for this process alone. Nothing else runs in it yet.
    public func setEnvironment() {
        for variable in config.environment { unsafe setenv(variable.name.string, variable.value.string, 1) }
    }
}

extension FetchSettings.Failure {
    init(_ file: UnsafeFile) {
        self.init(sentence: "\(file)", isForbidden: file.fault == .unreadable(errno: EACCES))
    }

    init(_ failure: ServerConfig.Failure) {
        switch failure {
        case .unsafe(let file): self.init(file)
        case .malformed: self.init(sentence: "\(failure)")
        }
    }
}
