public import PKToken
public import Vocabulary

/// How an issuer's keys are fetched and kept: what its rows of `providers` say, else `keys` of config.yml, else the defaults.
public struct KeySettings: Hashable, Sendable {
    public let refreshAfter: TimeSpan
    public let maximumAge: TimeSpan
    public let timeout: TimeSpan
    /// A PEM file; nil for the system's authorities.
    public let authorities: Text?

    static let defaultRefreshAfter = TimeSpan(seconds: 3600)
    static let defaultMaximumAge = TimeSpan(seconds: 86_400)
    static let defaultTimeout = TimeSpan(seconds: 5)

    static let refreshBounds = TimeSpan(seconds: 60)...TimeSpan(seconds: 365 * 86_400)
    static let ageBounds = TimeSpan(seconds: 60)...TimeSpan(seconds: 365 * 86_400)
    /// sshd's LoginGraceTime is two minutes, and it asks twice.
    static let timeoutBounds = TimeSpan(seconds: 1)...TimeSpan(seconds: 30)

    private init(_ options: KeyOptions) {
        // A maximum age that was made shorter than the default's renewal makes that shorter too, and the other way round.
        maximumAge = options.maximumAge ?? max(KeySettings.defaultMaximumAge, options.refreshAfter ?? KeySettings.defaultRefreshAfter)
        refreshAfter = min(options.refreshAfter ?? KeySettings.defaultRefreshAfter, maximumAge)
        timeout = options.timeout ?? KeySettings.defaultTimeout
        authorities = options.authorities
    }

    /// For an issuer that no row names.
    public init(_ config: ServerConfig) {
        self.init(config.keys)
    }

    public init(for row: ProviderRow, _ config: ServerConfig) {
        self.init(row.keys.orElse(config.keys))
    }

    /// For whoever knows the issuer only: of several rows the first that names a setting decides.
    ///
    /// Nil where no row names the issuer: then nobody has a use for its keys.
    public init?(of issuer: Text, in providers: Providers, _ config: ServerConfig) {
        let rows = providers.rows.filter { $0.issuer == issuer }
        guard !rows.isEmpty else { return nil }
        self.init(rows.reduce(KeyOptions()) { $0.orElse($1.keys) }.orElse(config.keys))
    }
}

extension KeyOptions {
    /// What is not said here is as `other` says.
    fileprivate func orElse(_ other: KeyOptions) -> KeyOptions {
        var both = self
        if both.refreshAfter == nil { both.refreshAfter = other.refreshAfter }
        if both.maximumAge == nil { both.maximumAge = other.maximumAge }
        if both.timeout == nil { both.timeout = other.timeout }
        if both.authorities == nil { both.authorities = other.authorities }
        return both
    }
}
