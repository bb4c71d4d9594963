import CSystem
import HTTP
import Policy
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the administrator says about fetching. It is read here, from root's own files, and not taken from whoever asks: that one runs as
/// another user, and may have been taken over.
struct Settings {
    private let providers: Providers
    private let config: ServerConfig

    /// One sentence.
    struct Failure: Error {
        let sentence: String
    }

    init(_ arguments: Arguments) throws(Failure) {
        let trust: FileTrust = arguments.isOwnConfiguration ? .rootOrUser(geteuid()) : .rootOnly
        do {
            config = try ServerConfig.read(arguments.configFolder + "/config.yml", trust: trust)
        } catch {
            throw Failure(sentence: "\(error)")
        }
        do {
            providers = try Providers.read(arguments.configFolder + "/providers", trust: trust)
        } catch {
            throw Failure(sentence: "\(error)")
        }
    }

    func isTrusted(_ issuer: Text) -> Bool { KeySettings(of: issuer, in: providers, config) != nil }

    func client(for issuer: Text) -> HTTPClient {
        let settings = KeySettings(of: issuer, in: providers, config) ?? KeySettings(config)
        return HTTPClient(timeout: .seconds(settings.timeout.seconds), authorities: settings.authorities?.string)
    }

    /// `env_vars`, for this process alone. Nothing else runs in it yet.
    func setEnvironment() {
        for variable in config.environment { unsafe setenv(variable.name.string, variable.value.string, 1) }
    }
}
