public import Identities
public import Vocabulary

/// Whom a login is at.
public enum ProviderChoice: Sendable {
    /// This one; `name`: what the login is called on this laptop, whichever of the provider's aliases was used.
    case provider(ProviderConfig, name: IdentityName?)
    /// The person says, on a page: one or more.
    case choose([ProviderConfig])
}

extension ClientConfig {
    /// The alias that stands for the page of all providers, in any case.
    public static let chooserAlias = "webchooser"

    /// Every alias, in order.
    public var aliases: [String] { listed.flatMap(\.provider.aliases) }

    /// The provider of that alias, with the file's defaults; nil where there is none.
    public func provider(aliased alias: Text) -> ProviderConfig? {
        listed.first { $0.provider.aliases.contains { Text($0) == alias } }.map { defaults.applied(to: $0.provider) }
    }

    /// - Parameters:
    ///   - alias: what the person typed.
    ///   - argument: of `--provider`: a whole provider.
    public func choose(alias: String?, argument: String?) throws(LoginError) -> ProviderChoice {
        switch (alias, argument) {
        case (.some, .some): throw .aliasAndProvider
        case (nil, let argument?): return named(defaults.applied(to: try ProviderConfig(argument: argument)))
        case (let alias?, nil): return try choose(Text(alias), nil)
        case (nil, nil):
            if let usual = defaultProvider { return try choose(usual.alias, usual) }
            let all = choosable
            return all.count == 1 ? named(all[0]) : try chooser(all)
        }
    }

    /// - Parameter usual: where the alias comes from, if the person did not type it.
    private func choose(_ alias: Text, _ usual: DefaultProvider?) throws(LoginError) -> ProviderChoice {
        if alias.equalsIgnoringASCIICase(Text(ClientConfig.chooserAlias)) { return try chooser(choosable) }
        if let provider = provider(aliased: alias) { return named(provider) }
        if let usual { throw .defaultProvider(alias, from: usual.origin, known: aliases) }
        throw .unknownAlias(alias, known: aliases)
    }

    private func named(_ provider: ProviderConfig) -> ProviderChoice { .provider(provider, name: provider.name) }

    private func chooser(_ all: [ProviderConfig]) throws(LoginError) -> ProviderChoice {
        if all.isEmpty { throw .noProvider(aliases: aliases) }
        return .choose(all)
    }

    /// Nobody logs in to a CI system's provider in a browser. opkssh knows them by this client id.
    private var choosable: [ProviderConfig] {
        listed.map { defaults.applied(to: $0.provider) }.filter { $0.clientID != "unused" }
    }
}
