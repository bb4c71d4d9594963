import ArgumentParser
import Display
import Identities
import Login
import Vocabulary

struct LoginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Log in in the browser and get a key that ssh uses by itself.",
        discussion: """
            Without -i the key is written to ~/.ssh/id_ecdsa (or id_ed25519) if that name is free or was made by opk or opkssh, else \
            to id_ecdsa_sk (id_ed25519_sk). A key of somebody else's is never overwritten, and a login under another name that is \
            still good keeps its file: then the key goes to ~/.ssh/opk.

            EXAMPLES
              opk login google
              opk login --provider https://idp.example.com,opk
              opk login gitlab -t ed25519 -i ~/.ssh/work --valid-for 8h
              opk login microsoft --no-browser
            """)

    @OptionGroup(title: "Provider")
    var provider: LoginProviderOptions

    @OptionGroup(title: "Way")
    var way: LoginWayOptions

    @OptionGroup(title: "Key")
    var key: LoginKeyOptions

    func run() throws {
        try reportingErrors { () throws(LoginError) in
            try key.check()
            let options = try options()
            let keeping = try key.keeping(name(options), options)
            for warning in try keeping?.check(options.keyKind) ?? [] { Terminal.note("opk: warning: \(warning)") }
            let flow = LoginFlow(options, browser: Browser(), tell: tell)
            var kept: KeyKeeping.Kept?
            let result = try flow.run { result throws(LoginError) in kept = try keeping?.keep(result, of: options.provider) }
            for warning in kept?.warnings ?? [] { Terminal.note("opk: warning: \(warning)") }
            try show(result, keeping?.place, kept?.store ?? .file)
            return true
        }
    }

    private func options() throws(LoginError) -> LoginOptions {
        var options = LoginOptions(provider: try provider.chosen())
        try way.apply(to: &options)
        try key.apply(to: &options)
        return options
    }

    /// What this login is called on the laptop: the alias that was given, else what its provider is called.
    private func name(_ options: LoginOptions) throws(LoginError) -> IdentityName {
        try IdentityName.ofLogin(alias: provider.aliases.first, options.provider)
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

    private func show(_ result: LoginResult, _ place: KeyPlace?, _ store: KeyStore) throws(LoginError) {
        if key.printKey {
            try Terminal.write(result.key.certificateFile)
            try Terminal.write(try result.key.privateKeyFile())
        }
        if key.printIdToken { try Terminal.print(result.claims.pretty()) }
        let home = try? KeyPlace.home()
        let isUsualPlace = home.map { place?.isTriedBySSH(home: $0) ?? false } ?? false
        for line in Summary(result, place: place, isUsualPlace: isUsualPlace, store: store).lines(now: .now()) {
            // What a script reads on standard output stays clean.
            if key.printKey || key.printIdToken { Terminal.note(line) } else { try Terminal.print(line) }
        }
    }
}
