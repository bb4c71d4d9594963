import CIToken
import ChildProcess
import Login

extension LoginProviderOptions {
    /// The job of a CI system that this is, if the login is meant for it.
    func job() throws(LoginError) -> CIJob? {
        guard aliases.count <= 1 else { throw .tooManyArguments }
        guard provider == nil else { return nil }
        return try CILogin.job(
            alias: aliases.first, among: try ClientConfig.read(path: config.configPath).listed.map(\.provider), in: .inherited())
    }

    /// The CI system in a provider's place; what else the options say of a provider has no meaning there.
    func adjusted(_ job: CIJob) -> ProviderConfig {
        var provider = ProviderConfig(of: job)
        provider.sendsAccessToken = sendAccessToken
        return provider
    }
}
