import ArgumentParser
import Login
import Vocabulary

/// Where the client's configuration lies.
struct ClientConfigOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Read this instead of ~/.opk/config.yml.", valueName: "file", visibility: .hidden), completion: .file())
    var configPath: String?

    /// What it says, and a word about what it should not say.
    func read() throws(LoginError) -> ClientConfig {
        let config = try ClientConfig.read(path: configPath)
        for warning in config.warnings {
            Terminal.note("opk: warning: \(warning.text)")
            if let hint = warning.hint { Terminal.note("opk: hint: \(hint)") }
        }
        return config
    }
}

/// Which provider, and what it is asked for.
struct LoginProviderOptions: ParsableArguments {
    // Taken as a list, so that what should have followed --provider, perhaps with a secret in it, is not repeated in an error.
    @Argument(
        help: ArgumentHelp("One of `opk providers`; without it the default one.", valueName: "alias"), completion: CompletedWords.aliases)
    var aliases: [String] = []

    @Option(help: ArgumentHelp("Any other provider; scopes with spaces between.", valueName: "issuer,client_id[,secret[,scopes]]"))
    var provider: String?

    @Option(help: ArgumentHelp("Ask for these instead of the provider's usual ones.", valueName: "scopes", visibility: .hidden))
    var scopes: String?

    @Flag(help: ArgumentHelp("Put the access token into the certificate, for servers that ask for groups.", visibility: .hidden))
    var sendAccessToken = false

    @OptionGroup var config: ClientConfigOptions

    @Flag(help: ArgumentHelp("Only write ~/.opk/config.yml, with the usual providers and all keys as comments.", visibility: .hidden))
    var createConfig = false

    /// The provider, or those to choose from, with what the command line says about them.
    func choice() throws(LoginError) -> ProviderChoice {
        guard aliases.count <= 1 else { throw .tooManyArguments }
        switch try config.read().choose(alias: aliases.first, argument: provider) {
        case .provider(let provider, let name): return .provider(try adjusted(provider), name: name)
        case .choose(let providers): return .choose(try providers.map { provider throws(LoginError) in try adjusted(provider) })
        }
    }

    private func adjusted(_ provider: ProviderConfig) throws(LoginError) -> ProviderConfig {
        var provider = provider
        if let scopes { provider.scopes = try ProviderConfig.scopes(scopes) }
        if sendAccessToken { provider.sendsAccessToken = true }
        return provider
    }

    /// Does what `--create-config` asks for; false where it does not.
    func createsConfig() throws(LoginError) -> Bool {
        guard createConfig else { return false }
        let path = try ClientConfig.path(config.configPath)
        let isNew = try ClientConfigDefault.create(at: path)
        let name = Text(path).escaped
        try Terminal.print(
            isNew
                ? "\(name) is written: change it as you like, or with `opk providers add`."
                : "\(name) is there already: nothing was written.")
        return true
    }
}
