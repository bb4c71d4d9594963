import ArgumentParser
import CIToken
import Display
import Identities
import Login
import Vocabulary

struct LoginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Log in in the browser and get a key that ssh uses.",
        discussion: """
            The key goes to ~/.ssh/id_ecdsa if that name is free or opk's own, and never over anybody else's: man opk-login.

            EXAMPLES
              opk login google
              opk login --provider https://idp.example.com,opk
              opk login gitlab -t ed25519 -i ~/.ssh/work --valid-for 8h
              opk login microsoft --remote
            """)

    @OptionGroup(title: "Provider")
    var provider: LoginProviderOptions

    @OptionGroup(title: "Way")
    var way: LoginWayOptions

    @OptionGroup(title: "Key")
    var key: LoginKeyOptions

    @OptionGroup
    var refresh: LoginRefreshOptions

    @OptionGroup
    var need: LoginNeedOptions

    @OptionGroup
    var output: OutputOptions

    @Flag(help: "Say at the end who, until when and where, as JSON.")
    var json = false

    func run() throws {
        if need.isCheck { return }
        try reportingErrors { () throws(LoginError) in
            if try provider.createsConfig() { return true }
            try checkCombination()
            let job = try provider.job()
            let target = try target(job)
            var options = LoginOptions(provider: target.provider)
            let terminal = terminalElsewhere(job)
            try way.apply(to: &options, goesElsewhere: terminal != nil)
            try key.apply(to: &options)
            try refresh.apply(
                to: &options, hasChosenEnd: key.validFor != nil || options.provider.lifetime != nil, home: try KeyPlace.home())
            let name = try IdentityName.ofLogin(alias: nil, options.provider)
            let run = LoginRun(
                name: name, options: options, job: job, keeping: try key.keeping(name, options, staysForRefresh: refresh.isWanted),
                refresh: refresh, qrCode: way.qrCode, output: output,
                terminalElsewhere: terminal)
            if need.ifNeeded { return try need.run(run) }
            let outcome = try run.logIn(in: target.browser)
            try show(outcome, of: run)
            try run.keepAlive(outcome)
            return true
        }
    }

    private func checkCombination() throws(LoginError) {
        try key.check()
        try need.check(key, refresh)
        try refresh.check(printsKey: key.printKey)
        guard json else { return }
        if key.printKey { throw .notTogether("--json", "--print-key") }
        if key.printIdToken { throw .notTogether("--json", "--print-id-token") }
        if need.ifNeeded { throw .notTogether("--json", "--if-needed") }
    }

    /// Where the person pastes, if the way is `--remote` because the browser is most likely on another machine.
    private func terminalElsewhere(_ job: CIJob?) -> Int32? {
        guard job == nil, way.seemsElsewhere() else { return nil }
        return need.ifNeeded ? LoginTerminal.ofTheSession() : LoginTerminal.ofStandardInput
    }

    /// Whom the login is at: the job's CI system, the provider that was named, or the one that the person chooses.
    private func target(_ job: CIJob?) throws(LoginError) -> ChosenProvider {
        if let job { return ChosenProvider(provider.adjusted(job)) }
        switch try provider.choice() {
        case .provider(let provider, _): return ChosenProvider(provider)
        case .choose(let providers):
            // ssh's connection waits behind it, and knows whom it is for.
            if need.ifNeeded { throw .noProvider(aliases: providers.flatMap(\.aliases)) }
            return try LoginCommand.choose(
                among: providers, opensBrowser: way.opensBrowserHere, patience: try LoginOptions.patience(way.timeout ?? "5m"), output)
        }
    }

    private func show(_ outcome: LoginRun.Outcome, of run: LoginRun) throws(LoginError) {
        if key.printKey {
            try Terminal.write(outcome.result.key.certificateFile)
            try Terminal.write(try outcome.result.key.privateKeyFile())
        }
        if key.printIdToken { try Terminal.print(outcome.result.claims.pretty()) }
        if json { return try Terminal.print(run.json(outcome).pretty()) }
        for line in run.summary(outcome) {
            // What a script reads on standard output stays clean.
            if key.printKey || key.printIdToken { output.note(line) } else if !output.quiet { try Terminal.print(line) }
        }
    }
}
