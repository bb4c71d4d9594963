import ArgumentParser
import Identities
import Login
import SafeFiles
import Vocabulary

struct ProvidersAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Write one more provider into ~/.opk/config.yml.",
        discussion: """
            Everything else in the file stays as it is, comments too; a file that is not there is made. A secret never stands on the command \
            line, where everybody on this machine can read it.

            EXAMPLES
              opk providers add work https://idp.example.com opk
              opk providers add home https://auth.example.org ssh --hosts '*.lan'
              opk providers add lab https://lab.example.net ssh --client-secret-file -
            """)

    @Argument(help: ArgumentHelp("What it is called here; several names with blanks between.", valueName: "alias"))
    var alias: String

    @Argument(help: ArgumentHelp("Its address, letter by letter as its tokens have it.", valueName: "issuer"))
    var issuer: String

    @Argument(help: ArgumentHelp("What opk is registered as there.", valueName: "client-id"))
    var clientID: String

    @Option(help: ArgumentHelp("Read the client secret here; - for standard input.", valueName: "file"), completion: .file())
    var clientSecretFile: String?

    @Option(help: "What to ask for; openid profile email without it.")
    var scopes: String?

    @Option(help: ArgumentHelp("For these hosts, as in ssh_config; commas between.", valueName: "patterns"))
    var hosts: [String] = []

    @Option(
        name: .customLong("redirect-uri"),
        help: ArgumentHelp("Wait for the browser here; may be repeated.", valueName: "uri"))
    var redirectURI: [String] = []

    @Option(
        help: ArgumentHelp("consent, login, select_account, or '' for none.", valueName: "prompt"),
        completion: .list(["consent", "login", "select_account"]))
    var prompt: String?

    @Option(
        help: ArgumentHelp("Kind of key: ecdsa or ed25519.", valueName: "kind"),
        completion: .list(KeyKind.allCases.map(\.rawValue)))
    var keyType: String?

    @Option(
        help: ArgumentHelp("How long a login is good for: 30m, 24h, 7d, oidc, never.", valueName: "time"),
        completion: CompletedWords.lifetimes)
    var validFor: String?

    @Option(
        help: ArgumentHelp("Where the key lives: agent, file or both.", valueName: "store"),
        completion: .list(KeyStore.allCases.map(\.rawValue)))
    var store: String?

    @Option(
        help: ArgumentHelp("Where a refresh token is kept: keyring, secret-service or file.", valueName: "place"),
        completion: .list(RefreshTokenPlace.allCases.map(\.rawValue)))
    var refreshToken: String?

    @Flag(help: "Put the access token into certificates.")
    var sendAccessToken = false

    @Flag(help: "Make it the one that is meant where none is named.")
    var `default` = false

    @Flag(help: "Only show what would be written.")
    var dryRun = false

    @Option(help: ArgumentHelp("Change this instead of ~/.opk/config.yml.", valueName: "file"), completion: .file())
    var configPath: String?

    func run() throws {
        try reportingErrors { () throws(LoginError) in
            let edit = try ClientConfigEdit(path: configPath)
            let outcome = try edit.add(try entry(), isDefault: `default`, isTrial: dryRun)
            let name = Text(alias).escaped(limit: 80)
            try Terminal.print("\(dryRun ? "Would write" : "Wrote") the provider \(name): \(outcome.listed.origin)")
            if outcome.wroteBuiltIn {
                try Terminal.print(
                    "A list in the file takes the built-in providers' place, so they \(dryRun ? "would be" : "were") copied into it.")
            }
            Terminal.note("opk: hint: see that it works: `opk providers test \(outcome.listed.provider.aliases.first ?? "ALIAS")`")
            if !outcome.listed.provider.hosts.isEmpty { Terminal.note("opk: hint: let ssh use it for its hosts: `opk setup ssh`") }
            return true
        }
    }

    private func entry() throws(LoginError) -> ClientConfigEntry {
        var entry = ClientConfigEntry(alias: alias, issuer: issuer, clientID: clientID)
        try entry.set("client_secret", secret: secret())
        entry.set("scopes", scopes)
        entry.set("prompt", prompt)
        entry.set("redirect_uris", list: redirectURI)
        entry.set("send_access_token", flag: sendAccessToken)
        entry.set("key_type", keyType)
        entry.set("valid_for", validFor)
        entry.set("store", store)
        entry.set("hosts", list: hosts.flatMap { $0.split { $0 == "," || $0 == " " }.map(String.init) })
        entry.set("refresh_token", refreshToken)
        return entry
    }

    /// Without the line break at its end.
    private func secret() throws(LoginError) -> Secret? {
        guard let clientSecretFile else { return nil }
        var bytes: [UInt8]
        do throws(BoundedInput.Failure) {
            bytes = try BoundedInput.read(clientSecretFile, limit: 4096)
        } catch {
            throw .secretInput("\(error)")
        }
        while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
        if bytes.isEmpty { throw .secretInput("it is empty") }
        return Secret(bytes)
    }
}
