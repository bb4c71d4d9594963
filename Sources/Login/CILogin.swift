public import CIToken
public import ChildProcess
public import HTTP
import JOSE
import KeyCache
import OIDC
import PKToken
import Vocabulary

/// The login of a CI system's job: nobody is asked, no browser is opened, no other program is started. What goes into the certificate is
/// not the token that the CI system gave, but a proof of having it (GQ256), so that no server gets the token itself.
public struct CILogin {
    private let options: LoginOptions
    private let job: CIJob
    private let http: HTTPClient

    /// - Parameter options: with `ProviderConfig(of: job)` as provider.
    public init(_ options: LoginOptions, of job: CIJob, http: HTTPClient = HTTPClient()) {
        self.options = options
        self.job = job
        self.http = http
    }

    /// `keep` writes the key; it is called once, with a result that was verified by a server's own steps.
    public func run(keep: (LoginResult) throws(LoginError) -> Void) throws(LoginError) -> LoginResult {
        let mint = try IdentityCertificate(for: options)
        let keys = try keys()
        let token: JWS
        do throws(CITokenError) {
            var patient = http
            patient.timeout = max(http.timeout, .seconds(15))
            token = try job.token(for: mint.claims.commitment, client: patient)
                .proven(with: keys, commitment: job.provesCommitment ? mint.claims.commitment : nil)
        } catch {
            throw .ci(error)
        }
        var result = try mint.mint(proven: token, isFresh: job.tokenIsFresh, keys: keys, at: .now())
        result.isJob = true
        try keep(result)
        return result
    }

    private func keys() throws(LoginError) -> JWKSet {
        do throws(OIDCError) {
            return try ProviderKeys.fetch(issuer: job.issuer, client: http).jwks
        } catch {
            throw LoginError(error, of: job.issuer) { .discovery(issuer: job.issuer, $0) }
        }
    }
}

extension CILogin {
    /// The job that `opk login` is meant for, if any: the one that the alias names, or without an alias the one that this is.
    ///
    /// - Parameters:
    ///   - alias: as the command line or `OPKSSH_DEFAULT` has it.
    ///   - known: the providers that are configured. Outside of a CI system's jobs a provider may have its alias.
    public static func job(alias: String?, among known: [ProviderConfig], in environment: ProcessEnvironment) throws(LoginError) -> CIJob? {
        let running = CISystem(runningIn: environment)
        let usual = environment["OPKSSH_DEFAULT"].flatMap { $0.isEmpty ? nil : $0 }
        guard let alias = (alias ?? usual).map({ Text($0) }) else {
            guard let running else { return nil }
            return try job(of: running, environment)
        }
        guard let named = CISystem(alias: alias) else { return nil }
        if running == named { return try job(of: named, environment) }
        if known.contains(where: { $0.aliases.contains { Text($0) == alias } }) { return nil }
        throw .ci(running.map { .otherSystem(named, running: $0) } ?? .notInside(named))
    }

    private static func job(of system: CISystem, _ environment: ProcessEnvironment) throws(LoginError) -> CIJob {
        do throws(CITokenError) {
            return try CIJob(system, in: environment)
        } catch {
            throw .ci(error)
        }
    }
}

extension ProviderConfig {
    /// The CI system as a provider. An hour is time for most of what a job does by ssh; the key lies on a machine that is thrown away, or
    /// that the next job uses.
    public init(of job: CIJob) {
        self.init(issuer: job.issuer, clientID: job.clientID)
        aliases = job.system.aliases.prefix(1).map(\.string)
        scopes = []
        redirectURIs = []
        lifetime = .maximumAge(seconds: 3600)
    }
}
