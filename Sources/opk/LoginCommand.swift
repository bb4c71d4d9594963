import ArgumentParser
import Display
import Login
import Vocabulary

struct LoginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Log in in the browser and get a key that ssh uses by itself.",
        discussion: """
            Without -i the key is written to ~/.ssh/id_ecdsa (or id_ed25519) if that name is free or was made by opk or opkssh, else \
            to id_ecdsa_sk (id_ed25519_sk). A key of somebody else's is never overwritten.

            EXAMPLES
              opk login google
              opk login --provider https://idp.example.com,opk
              opk login gitlab -t ed25519 -i ~/.ssh/work --valid-for 8h
              opk login microsoft --no-browser
            """)

    // Taken as a list, so that what should have followed --provider, perhaps with a secret in it, is not repeated in an error.
    @Argument(help: ArgumentHelp("google, azure, microsoft, gitlab or hello.", valueName: "alias"))
    var aliases: [String] = []

    @Option(help: ArgumentHelp("Any other provider; scopes with spaces between.", valueName: "issuer,client_id[,secret[,scopes]]"))
    var provider: String?

    @Option(
        name: [.customShort("t"), .long], help: ArgumentHelp("Kind of key: ecdsa or ed25519.", valueName: "kind"),
        transform: LoginCommand.keyKind)
    var keyType: KeyKind = .ecdsa

    @Option(
        name: [.customShort("i"), .customLong("private-key-file")],
        help: ArgumentHelp("Write the key here, and the certificate to FILE-cert.pub.", valueName: "file"))
    var file: String?

    @Option(help: ArgumentHelp("Restrict the certificate to these accounts on servers.", valueName: "a,b"))
    var principals: String?

    @Option(help: ArgumentHelp("How long it is good for: 30m, 24h, 7d, oidc (as the ID token), never.", valueName: "time"))
    var validFor: String = "24h"

    @Option(help: ArgumentHelp("Ask for these instead of the provider's usual ones.", valueName: "scopes"))
    var scopes: String?

    @Option(
        name: .customLong("redirect-uri"),
        help: ArgumentHelp("Wait for the browser here, e.g. http://localhost:3000/cb; may be repeated.", valueName: "uri"))
    var redirectURI: [String] = []

    @Option(help: ArgumentHelp("How long to wait for the browser.", valueName: "time"))
    var timeout: String = "5m"

    @Flag(
        name: [.customLong("no-browser"), .customLong("disable-browser-open")],
        help: "Only print the address; open no browser.")
    var noBrowser = false

    @Flag(help: "Put the access token into the certificate, for servers that ask for groups.")
    var sendAccessToken = false

    @Flag(name: [.customShort("p"), .long], help: "Print certificate and private key; write no file.")
    var printKey = false

    @Flag(help: "Print what the provider says about you, as JSON.")
    var printIdToken = false

    func run() throws {
        try reportingErrors { () throws(LoginError) in
            try checkCombination()
            let options = try options()
            let place = try place()
            let flow = LoginFlow(options, browser: Browser(), tell: tell)
            let result = try flow.run { result throws(LoginError) in
                if let place { try result.key.write(to: place) }
            }
            try show(result, place)
            return true
        }
    }

    private func checkCombination() throws(LoginError) {
        guard aliases.count <= 1 else { throw .tooManyArguments }
        if printKey, file != nil { throw .notTogether("--print-key", "-i") }
        // Both are for standard output.
        if printKey, printIdToken { throw .notTogether("--print-key", "--print-id-token") }
    }

    private func options() throws(LoginError) -> LoginOptions {
        var options = LoginOptions(provider: try .chosen(alias: aliases.first, argument: provider))
        if let scopes { options.provider.scopes = try ProviderConfig.scopes(scopes) }
        if !redirectURI.isEmpty {
            options.provider.redirectURIs = try redirectURI.map { text throws(LoginError) in try RedirectURI(text) }
        }
        if sendAccessToken { options.provider.sendsAccessToken = true }
        if let principals { options.principals = try LoginOptions.principals(principals) }
        options.keyKind = keyType
        options.lifetime = try LoginOptions.lifetime(validFor)
        options.patience = try LoginOptions.patience(timeout)
        options.opensBrowser = !noBrowser
        return options
    }

    /// Decided before anybody logs in: a person should not do so in vain.
    private func place() throws(LoginError) -> KeyPlace? {
        if printKey { return nil }
        if let file { return try KeyPlace.named(file) }
        return try KeyPlace.usual(for: keyType, home: try KeyPlace.home())
    }

    private func tell(_ notice: LoginFlow.Notice) {
        switch notice {
        case .open(let url, let opened):
            Terminal.note(
                opened
                    ? "A browser was opened. If it does not show the login page, open this address:"
                    : "Open this address in a browser on this machine:")
            Terminal.note(url)
        case .waiting(let address, let seconds):
            Terminal.note("Waiting at \(address) for \(RelativeTime.span(seconds)) (Ctrl-C ends it) …")
        }
    }

    private func show(_ result: LoginResult, _ place: KeyPlace?) throws(LoginError) {
        if printKey {
            try Terminal.write(result.key.certificateFile)
            try Terminal.write(try result.key.privateKeyFile())
        }
        if printIdToken { try Terminal.print(result.claims.pretty()) }
        for line in Summary(result, place: place, isUsualPlace: file == nil && KeyPlace.isHomeOfSSH).lines(now: .now()) {
            // What a script reads on standard output stays clean.
            if printKey || printIdToken { Terminal.note(line) } else { try Terminal.print(line) }
        }
    }

    private static func keyKind(_ text: String) throws -> KeyKind {
        guard let kind = KeyKind(rawValue: text.lowercased()) else { throw ValidationError("a key is of kind ecdsa or ed25519") }
        return kind
    }
}
