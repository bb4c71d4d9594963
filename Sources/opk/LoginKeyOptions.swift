import ArgumentParser
import Identities
import Login
import Vocabulary

/// What key is made, and where it goes.
struct LoginKeyOptions: ParsableArguments {
    @Option(
        name: [.customShort("t"), .long], help: ArgumentHelp("Kind of key: ecdsa or ed25519.", valueName: "kind"),
        completion: .list(KeyKind.allCases.map(\.rawValue)),
        transform: LoginKeyOptions.keyKind)
    var keyType: KeyKind?

    @Option(
        name: [.customShort("i"), .customLong("private-key-file")],
        help: ArgumentHelp("Write the key here; certificate: FILE-cert.pub.", valueName: "file"), completion: .file())
    var file: String?

    @Option(
        help: ArgumentHelp("Keep the key in ssh-agent alone, a file, or both.", valueName: "agent|file|both"),
        completion: .list(KeyStore.allCases.map(\.rawValue)),
        transform: LoginKeyOptions.keyStore)
    var store: KeyStore?

    @Option(help: ArgumentHelp("Restrict the certificate to these accounts on servers.", valueName: "a,b"))
    var principals: String?

    @Option(
        help: ArgumentHelp("How long: 30m, 24h, 7d, oidc (as ID token), never.", valueName: "time"),
        completion: CompletedWords.lifetimes)
    var validFor: String?

    @Flag(name: [.customShort("p"), .long], help: "Print certificate and private key; write no file.")
    var printKey = false

    @Flag(help: ArgumentHelp("Print what the provider says about you, as JSON.", visibility: .hidden))
    var printIdToken = false

    func check() throws(LoginError) {
        if printKey, store != nil { throw .notTogether("--print-key", "--store") }
        if printKey, file != nil { throw .notTogether("--print-key", "-i") }
        // Both are for standard output.
        if printKey, printIdToken { throw .notTogether("--print-key", "--print-id-token") }
    }

    /// What was given here counts, then what the provider's configuration says, then the usual.
    func apply(to options: inout LoginOptions) throws(LoginError) {
        if let principals { options.principals = try LoginOptions.principals(principals) }
        options.keyKind = keyType ?? options.provider.keyKind ?? .ecdsa
        if let validFor {
            options.lifetime = try LoginOptions.lifetime(validFor)
        } else if let lifetime = options.provider.lifetime {
            options.lifetime = lifetime
        }
    }

    /// What becomes of the key; nil where it is only printed. Decided before anybody logs in: a person should not do so in vain.
    ///
    /// - Parameter name: what this login is called on the laptop.
    func keeping(_ name: IdentityName, _ options: LoginOptions, staysForRefresh: Bool = false) throws(LoginError) -> KeyKeeping? {
        if printKey { return nil }
        let home = try KeyPlace.home()
        let store = store ?? options.provider.store ?? .file
        let place =
            if let file {
                try KeyPlace.named(file)
            } else {
                try KeyPlace.of(
                    name, kind: options.keyKind, store: store, hasHosts: !options.provider.hosts.isEmpty, isKeptAlive: staysForRefresh,
                    home: home,
                    identities: IdentityFolder(below: home + "/.opk").list().identities, now: .now())
            }
        return KeyKeeping(name, store: store, place: place, home: home, staysForRefresh: staysForRefresh)
    }

    private static func keyStore(_ text: String) throws -> KeyStore {
        guard let store = KeyStore(rawValue: text) else { throw ValidationError("a key is kept in agent, file or both") }
        return store
    }

    private static func keyKind(_ text: String) throws -> KeyKind {
        guard let kind = KeyKind(rawValue: text.lowercased()) else { throw ValidationError("a key is of kind ecdsa or ed25519") }
        return kind
    }
}
