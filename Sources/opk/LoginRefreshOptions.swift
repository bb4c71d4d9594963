import ArgumentParser
import ChildProcess
import Identities
import Login
import PKToken
import TokenStore
import Vocabulary

/// Whether the login is kept alive by its refresh token, and where that is kept.
struct LoginRefreshOptions: ParsableArguments {
    @Flag(help: "Keep a refresh token for `opk agent-refresh`.")
    var refresh = false

    @Flag(help: ArgumentHelp("The same, and stay in the foreground and refresh.", visibility: .hidden))
    var autoRefresh = false

    @Option(
        help: ArgumentHelp("Keep it in the kernel's keyring, the secret-service, or a file.", valueName: "place", visibility: .hidden),
        completion: .list(RefreshTokenPlace.allCases.map(\.rawValue)),
        transform: LoginRefreshOptions.placeNamed)
    var refreshTokenStore: RefreshTokenPlace?

    private static func placeNamed(_ text: String) throws -> RefreshTokenPlace {
        guard let place = RefreshTokenPlace(rawValue: text) else {
            throw ValidationError("a refresh token is kept in keyring, secret-service or file")
        }
        return place
    }

    var isWanted: Bool { refresh || autoRefresh }

    func check(printsKey: Bool) throws(LoginError) {
        if isWanted, printsKey { throw .notTogether("--print-key", refresh ? "--refresh" : "--auto-refresh") }
        if refreshTokenStore != nil, !isWanted { throw .without("--refresh-token-store", "--refresh") }
    }

    /// Asks the provider for a refresh token, and lets the certificate end with the ID token unless the person chose an end: each refresh moves it. That the
    /// token can be kept is made sure of before anybody logs in.
    func apply(to options: inout LoginOptions, hasChosenEnd: Bool, home: String) throws(LoginError) {
        guard isWanted else { return }
        options.provider.wantsRefreshToken = true
        if !hasChosenEnd { options.lifetime = .oidc }
        do throws(TokenStoreError) {
            try TokenStore(below: home + "/.opk").check(place(options.provider))
        } catch {
            throw .tokenStore(error)
        }
    }

    private func place(_ provider: ProviderConfig) -> RefreshTokenPlace {
        refreshTokenStore ?? provider.refreshTokenPlace ?? TokenStore.usual
    }

    /// Runs `keep`, which writes the new key and its record. The refresh token of an earlier login under this name goes after that, and stays where it throws.
    func replacing<Result>(_ name: IdentityName, home: String, by keep: () throws(LoginError) -> Result) throws(LoginError) -> Result {
        let outcome = try IdentityRefresher(below: home + "/.opk").replacing(name, by: keep)
        if let problem = outcome.problem { Terminal.note("opk: warning: the refresh token of the login before stays: \(problem)") }
        return outcome.kept
    }

    /// After the login's record was written. A login without a refresh token is a login all the same.
    ///
    /// - Parameter needsAgent: whether a refresh needs ssh-agent.
    func finish(
        _ result: LoginResult, as name: IdentityName, of provider: ProviderConfig, home: String, needsAgent: Bool, _ output: OutputOptions
    ) throws(LoginError) {
        guard isWanted else { return }
        let refresher = IdentityRefresher(below: home + "/.opk")
        do throws(RefreshError) {
            guard try refresher.keep(result, as: name, of: provider, in: place(provider)) else { throw .noRefreshToken }
        } catch {
            if autoRefresh { throw .notKeptAlive("\(error)", hint: error.hint) }
            Terminal.note("opk: warning: \(LoginError.notKeptAlive("\(error)", hint: nil))")
            if let hint = error.hint { Terminal.note("opk: hint: \(hint)") }
            return
        }
        if autoRefresh { return stay(refresher, name) }
        output.note(RefreshService.hint(environment: .inherited(), needsAgent: needsAgent))
    }

    private func stay(_ refresher: IdentityRefresher, _ name: IdentityName) {
        OrderlyStop.begin()
        var loop = RefreshLoop(refresher, only: [name]) { Terminal.note("opk: \($0)") }
        loop.run(endsWhenNothingIsLeft: true)
    }
}
