public import ChildProcess
public import Identities
public import PKToken
import SafeFiles
public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The providers that this person can log in with, and what else `~/.opk/config.yml` says: the file as opkssh writes it, with what opk has
/// besides, and opkssh's variables of the environment.
///
/// As with opkssh, `OPKSSH_PROVIDERS` takes the place of the file's list, and the file's list that of the built-in providers.
public struct ClientConfig: Sendable {
    /// Where the file is, or would be; nil without a home folder.
    public let path: String?
    public let isThere: Bool
    /// In order. No alias is there twice.
    public let listed: [Listed]
    /// Who is meant where nobody is named; nil: not said.
    public let defaultProvider: DefaultProvider?
    /// For every provider, where its own entry does not say.
    public let defaults: Defaults
    public let warnings: [Warning]

    public struct Listed: Hashable, Sendable {
        public var provider: ProviderConfig
        public let origin: Origin

        public init(provider: ProviderConfig, origin: Origin) {
            self.provider = provider
            self.origin = origin
        }
    }

    /// Who says so.
    public enum Origin: Hashable, Sendable {
        case builtIn
        case file(path: String, line: Int)
        /// `OPKSSH_PROVIDERS`, `OPKSSH_DEFAULT`.
        case environment
    }

    public struct DefaultProvider: Hashable, Sendable {
        /// An alias, or `webchooser` in any case.
        public let alias: Text
        public let origin: Origin
    }

    /// `key_type`, `valid_for`, `store` and `refresh_token` at the top of the file.
    public struct Defaults: Hashable, Sendable {
        public var keyKind: KeyKind?
        public var lifetime: ExpiryPolicy?
        public var store: KeyStore?
        public var refreshTokenPlace: RefreshTokenPlace?

        public init() {}

        public func applied(to provider: ProviderConfig) -> ProviderConfig {
            var provider = provider
            if provider.keyKind == nil { provider.keyKind = keyKind }
            if provider.lifetime == nil { provider.lifetime = lifetime }
            if provider.store == nil { provider.store = store }
            if provider.refreshTokenPlace == nil { provider.refreshTokenPlace = refreshTokenPlace }
            return provider
        }
    }

    /// Something that works and should not stay so.
    public struct Warning: Hashable, Sendable {
        public let text: String
        /// What to type.
        public let hint: String?
    }

    /// Bytes. A person has a few providers.
    static let largest = 1 << 20

    /// - Parameters:
    ///   - path: what `--config-path` names: it must be there. Nil is `~/.opk/config.yml`, which may be absent.
    ///   - environment: for `HOME`, `OPKSSH_PROVIDERS` and `OPKSSH_DEFAULT`.
    public static func read(path: String? = nil, environment: ProcessEnvironment = .inherited()) throws(LoginError) -> ClientConfig {
        let place = path ?? usualPath(environment)
        var file: ClientConfigFile?
        if let place { file = try ClientConfigFile.read(place) }
        if let path, file == nil { throw .unreadable(path: path, why: systemError(ENOENT)) }
        return try ClientConfig(file, at: place, environment: environment)
    }

    /// What `--config-path` names, else `~/.opk/config.yml`.
    public static func path(_ named: String?, environment: ProcessEnvironment = .inherited()) throws(LoginError) -> String {
        guard let path = named ?? usualPath(environment) else { throw .noHome }
        return path
    }

    /// `~/.opk/config.yml`; nil where nobody knows what `~` is.
    static func usualPath(_ environment: ProcessEnvironment) -> String? {
        (try? KeyPlace.home(environment["HOME"])).map { $0 + "/.opk/config.yml" }
    }

    init(_ file: ClientConfigFile?, at path: String?, environment: ProcessEnvironment) throws(LoginError) {
        self.path = path
        isThere = file != nil
        defaults = file?.defaults ?? Defaults()
        let here = path ?? ""
        if let text = environment["OPKSSH_PROVIDERS"], !text.isEmpty {
            listed = try ClientConfigVariable.providers(text).map { Listed(provider: $0, origin: .environment) }
        } else if let entries = file?.providers {
            listed = entries.map { Listed(provider: $0.provider, origin: .file(path: here, line: $0.line)) }
        } else {
            listed = ProviderConfig.builtIn.map { Listed(provider: $0, origin: .builtIn) }
        }
        if let alias = environment["OPKSSH_DEFAULT"], !alias.isEmpty {
            defaultProvider = DefaultProvider(alias: Text(alias), origin: .environment)
        } else if let entry = file?.defaultProvider {
            defaultProvider = DefaultProvider(alias: entry.alias, origin: .file(path: here, line: entry.line))
        } else {
            defaultProvider = nil
        }
        warnings = file.map { ClientConfig.warnings($0, at: here) } ?? []
    }

    /// Google's published secret is in opkssh's own file, which everybody may read.
    private static func warnings(_ file: ClientConfigFile, at path: String) -> [Warning] {
        let published = Set(ProviderConfig.builtIn.compactMap(\.clientSecret))
        guard (file.providers ?? []).contains(where: { $0.provider.clientSecret.map { !published.contains($0) } ?? false }) else {
            return []
        }
        var facts = stat()
        guard unsafe stat(path, &facts) == 0, UInt32(facts.st_mode) & 0o044 != 0 else { return [] }
        let name = Text(path).escaped
        return [Warning(text: "\(name) holds a client secret and others may read it", hint: "chmod 600 \(name)")]
    }
}

extension ClientConfig.Origin: CustomStringConvertible {
    public var description: String {
        switch self {
        case .builtIn: "built in"
        case .file(let path, let line): "\(Text(path).escaped):\(line)"
        case .environment: "environment"
        }
    }
}
