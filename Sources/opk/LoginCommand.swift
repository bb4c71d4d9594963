import ArgumentParser
import CIToken
import Display
import Identities
import Login
import SSHConfiguration
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
              opk login google --remote
              opk login --provider https://idp.example.com,opk --device
            """)

    @OptionGroup(title: "Provider")
    var provider: LoginProviderOptions

    @OptionGroup(title: "Way")
    var way: LoginWayOptions

    @OptionGroup(title: "Key")
    var key: LoginKeyOptions

    @OptionGroup(title: "Need")
    var need: LoginNeedOptions

    func run() throws {
        if need.isCheck { return }
        try reportingErrors { () throws(LoginError) in
            if try provider.createsConfig() { return true }
            try key.check()
            try need.check(key)
            let job = try provider.job()
            let target = try target(job)
            var options = LoginOptions(provider: target.provider)
            try way.apply(to: &options)
            try key.apply(to: &options)
            if need.ifNeeded { return try runIfNeeded(options, job) }
            let place = try place(options.keyKind)
            let result = try logIn(options, job, in: target.browser) { result throws(LoginError) in
                if let place { try result.key.write(to: place) }
            }
            try show(result, place)
            return true
        }
    }

    /// Whom the login is at: the job's CI system, the provider that was named, or the one that the person chooses.
    private func target(_ job: CIJob?) throws(LoginError) -> ChosenProvider {
        if let job { return ChosenProvider(provider.adjusted(job)) }
        switch try provider.choice() {
        case .provider(let provider, _): return ChosenProvider(provider)
        case .choose(let providers):
            // ssh asks again and again, and each time for one identity.
            if need.ifNeeded { throw .noProvider(aliases: providers.flatMap(\.aliases)) }
            return try LoginCommand.choose(among: providers, opensBrowser: way.opensBrowserHere, patience: try way.choicePatience())
        }
    }

    private func logIn(
        _ options: LoginOptions, _ job: CIJob?, in waiting: WaitingBrowser? = nil, keep: (LoginResult) throws(LoginError) -> Void
    ) throws(LoginError) -> LoginResult {
        if let job { return try CILogin(options, of: job).run(keep: keep) }
        let notices = TerminalNotices(showsQR: way.showsQR)
        return try LoginFlow(options, browser: Browser(), waiting: waiting, tell: notices.tell).run(keep: keep)
    }

    /// Everything that is said goes to standard error: standard output is that of ssh, or of whatever runs it.
    private func runIfNeeded(_ options: LoginOptions, _ job: CIJob?) throws(LoginError) -> Bool {
        guard let name = options.provider.name else { throw .noName }
        let home = try KeyPlace.home()
        let place = try placeIfNeeded(name, options, home)
        _ = try LoginIfNeeded(name, at: place, below: home + "/.opk").run(
            patience: options.patience,
            waiting: { Terminal.note("opk: another process is logging in as \(name): waiting for it …") },
            logIn: { () throws(LoginError) in
                Terminal.note("opk: a login as \(name) is needed.")
                let result = try logIn(options, job) { result throws(LoginError) in try result.key.write(to: place) }
                for line in Summary(result, place: place, isUsualPlace: false).lines(now: .now()) { Terminal.note(line) }
            })
        return true
    }

    /// Where ssh has been told to look, or where this login would lie anyway.
    private func placeIfNeeded(_ name: IdentityName, _ options: LoginOptions, _ home: String) throws(LoginError) -> KeyPlace {
        if let file = key.file { return try KeyPlace.named(file) }
        if SSHSetup.isInstalled(home: home) { return try KeyPlace.ofIdentity(name, home: home) }
        return try KeyPlace.usual(for: options.keyKind, home: home)
    }

    /// Decided before anybody logs in: a person should not do so in vain.
    private func place(_ kind: KeyKind) throws(LoginError) -> KeyPlace? {
        if key.printKey { return nil }
        if let file = key.file { return try KeyPlace.named(file) }
        return try KeyPlace.usual(for: kind, home: try KeyPlace.home())
    }

    private func show(_ result: LoginResult, _ place: KeyPlace?) throws(LoginError) {
        if key.printKey {
            try Terminal.write(result.key.certificateFile)
            try Terminal.write(try result.key.privateKeyFile())
        }
        if key.printIdToken { try Terminal.print(result.claims.pretty()) }
        for line in Summary(result, place: place, isUsualPlace: key.file == nil && KeyPlace.isHomeOfSSH).lines(now: .now()) {
            // What a script reads on standard output stays clean.
            if key.printKey || key.printIdToken { Terminal.note(line) } else { try Terminal.print(line) }
        }
    }
}
