import ChildProcess
import Identities
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The desktop's Secret Service (GNOME Keyring, KWallet, KeePassXC), by libsecret's `secret-tool`: the token goes in by its standard input and out by its
/// standard output, never by an argument.
struct SecretServiceTokens: Sendable {
    let environment: ProcessEnvironment

    /// Seconds: the service may ask the person for the keyring's password.
    static let patience = 60
    /// What the program has to know to find the person's bus, and the service to show its window.
    private static let variables = [
        "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "HOME", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "LANG", "LC_ALL",
    ]

    func check() throws(TokenStoreError) {
        _ = try run(["lookup", "service", "opk", "name", "opk-is-it-there"])
    }

    func write(_ bytes: [UInt8], _ name: IdentityName) throws(TokenStoreError) {
        let outcome = try run(
            ["store", "--label", "opk: refresh token of \(name.text)"] + SecretServiceTokens.attributes(name), input: bytes)
        guard outcome.succeeded else { throw SecretServiceTokens.failure(outcome) }
        // An agent of the desktop that was closed by the person stores nothing and says so with 0, in some versions.
        guard try read(name) == bytes else { throw .secretService("it did not keep what it was given") }
    }

    func read(_ name: IdentityName) throws(TokenStoreError) -> [UInt8]? {
        let outcome = try run(["lookup"] + SecretServiceTokens.attributes(name))
        guard outcome.succeeded, !outcome.output.isEmpty else { return nil }
        return outcome.output.last == 0x0A ? outcome.output.dropLast() : outcome.output
    }

    func remove(_ name: IdentityName) throws(TokenStoreError) {
        _ = try run(["clear"] + SecretServiceTokens.attributes(name))
    }

    private static func attributes(_ name: IdentityName) -> [String] { ["service", "opk", "name", name.text] }

    /// An outcome that says yes, or no without a word: nothing is there.
    private func run(_ arguments: [String], input: [UInt8] = []) throws(TokenStoreError) -> ChildProcess.Outcome {
        guard let program = path else { throw .noSecretTool }
        var own = ProcessEnvironment.empty
        for name in SecretServiceTokens.variables { own[name] = environment[name] }
        let outcome: ChildProcess.Outcome
        do throws(ChildFailure) {
            outcome = try ChildProcess.run(
                program, arguments, environment: own, input: input, outputLimit: StoredRefreshToken.largest,
                errorOutput: .captured(limit: 1000), deadline: SecretServiceTokens.patience * 1000)
        } catch {
            throw .secretService(Text("\(error)"))
        }
        if outcome.ending == .timedOut { throw .secretServiceTimeout(seconds: SecretServiceTokens.patience) }
        guard outcome.succeeded || (outcome.ending == .exited(1) && outcome.errorOutput.isEmpty) else {
            throw SecretServiceTokens.failure(outcome)
        }
        return outcome
    }

    private static func failure(_ outcome: ChildProcess.Outcome) -> TokenStoreError {
        let line = outcome.errorOutput.prefix { $0 != 0x0A }
        return .secretService(Text(validating: line) ?? "")
    }

    /// In the absolute folders of PATH alone.
    private var path: String? {
        let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        return folders.filter { $0.hasPrefix("/") }.map { "\($0)/secret-tool" }.first { unsafe access($0, X_OK) == 0 }
    }
}
