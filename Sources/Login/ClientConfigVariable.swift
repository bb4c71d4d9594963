import Vocabulary

/// `OPKSSH_PROVIDERS`: `alias,issuer,client_id[,client_secret[,scopes]]`, several with semicolons between. Nothing of it is repeated in an
/// error but an alias: it may hold secrets.
enum ClientConfigVariable {
    static func providers(_ text: String) throws(LoginError) -> [ProviderConfig] {
        var providers: [ProviderConfig] = []
        for (index, piece) in text.split(separator: ";").enumerated() {
            let halves = piece.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard halves.count == 2 else { throw fault(index, "it is not ALIAS,ISSUER,CLIENT_ID[,SECRET[,SCOPES]]") }
            let provider = try provider(alias: halves[0], halves[1], index)
            if providers.contains(where: { $0.aliases.contains { Text($0) == Text(halves[0]) } }) {
                throw fault(index, "the alias \(Text(halves[0]).escaped(limit: 60)) is there twice")
            }
            providers.append(provider)
        }
        if providers.isEmpty { throw .environment("OPKSSH_PROVIDERS names no provider") }
        return providers
    }

    private static func provider(alias: String, _ rest: String, _ index: Int) throws(LoginError) -> ProviderConfig {
        var provider: ProviderConfig
        do throws(LoginError) {
            provider = try ProviderConfig(argument: rest)
        } catch {
            throw fault(index, "it is not ALIAS,ISSUER,CLIENT_ID[,SECRET[,SCOPES]]")
        }
        if let why = ClientConfigFile.fault(ofAlias: Text(alias)) { throw fault(index, why) }
        if let why = ClientConfigFile.fault(ofIssuer: provider.issuer) { throw fault(index, why) }
        provider.aliases = [alias]
        return provider
    }

    private static func fault(_ index: Int, _ why: String) -> LoginError {
        .environment("OPKSSH_PROVIDERS, provider \(index + 1): \(why)")
    }
}
