import ArgumentParser
import Login
import Vocabulary

/// Which provider, and what it is asked for.
struct LoginProviderOptions: ParsableArguments {
    // Taken as a list, so that what should have followed --provider, perhaps with a secret in it, is not repeated in an error.
    @Argument(help: ArgumentHelp("google, azure, microsoft, gitlab or hello.", valueName: "alias"))
    var aliases: [String] = []

    @Option(help: ArgumentHelp("Any other provider; scopes with spaces between.", valueName: "issuer,client_id[,secret[,scopes]]"))
    var provider: String?

    @Option(help: ArgumentHelp("Ask for these instead of the provider's usual ones.", valueName: "scopes"))
    var scopes: String?

    @Flag(help: "Put the access token into the certificate, for servers that ask for groups.")
    var sendAccessToken = false

    var namesOne: Bool { !aliases.isEmpty || provider != nil }

    /// The provider, with what the command line says about it.
    func chosen() throws(LoginError) -> ProviderConfig {
        guard aliases.count <= 1 else { throw .tooManyArguments }
        return try applied(to: try ProviderConfig.chosen(alias: aliases.first, argument: provider))
    }

    /// The same for a provider that was chosen otherwise.
    func applied(to provider: ProviderConfig) throws(LoginError) -> ProviderConfig {
        var chosen = provider
        if let scopes { chosen.scopes = try ProviderConfig.scopes(scopes) }
        if sendAccessToken { chosen.sendsAccessToken = true }
        return chosen
    }
}
