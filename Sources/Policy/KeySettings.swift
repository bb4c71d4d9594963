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

    /// For each setting the first of `options` that names it counts.
    private init(_ options: [KeyOptions]) {
        func first<Value>(_ setting: (KeyOptions) -> Value?) -> Value? { options.lazy.compactMap(setting).first }
        let age = first(\.maximumAge)
        let refresh = first(\.refreshAfter)
        // A maximum age that was made shorter than the default's renewal makes that shorter too, and the other way round.
        maximumAge = age ?? max(KeySettings.defaultMaximumAge, refresh ?? KeySettings.defaultRefreshAfter)
        refreshAfter = min(refresh ?? KeySettings.defaultRefreshAfter, maximumAge)
        timeout = first(\.timeout) ?? KeySettings.defaultTimeout
        authorities = first(\.authorities)
    }

    /// For an issuer that no row names.
    public init(_ config: ServerConfig) {
        self.init([config.keys])
    }

    public init(for row: ProviderRow, _ config: ServerConfig) {
        self.init([row.keys, config.keys])
    }

    /// For whoever knows the issuer only: of several rows the first that names a setting decides.
    ///
    /// Nil where no row names the issuer: then nobody has a use for its keys.
    public init?(of issuer: Text, in providers: Providers, _ config: ServerConfig) {
        let rows = providers.rows.filter { $0.issuer == issuer }
        guard !rows.isEmpty else { return nil }
        self.init(rows.map(\.keys) + [config.keys])
    }
}
