import ArgumentParser
import ChildProcess
import Login
import SSHConfiguration

/// Whether a login takes place at all.
struct LoginNeedOptions: ParsableArguments {
    @Flag(help: "Do nothing where a login stands; for opk setup ssh.")
    var ifNeeded = false

    /// `opk setup ssh` asks what ssh understands, and wants no login.
    var isCheck: Bool { ifNeeded && ProcessEnvironment.inherited()[SSHCheck.variable]?.isEmpty == false }

    func check(_ key: LoginKeyOptions, _ refresh: LoginRefreshOptions) throws(LoginError) {
        guard ifNeeded else { return }
        if refresh.autoRefresh { throw .notTogether("--if-needed", "--auto-refresh") }
        if key.printKey { throw .notTogether("--if-needed", "--print-key") }
        if key.printIdToken { throw .notTogether("--if-needed", "--print-id-token") }
    }

    /// Everything that is said goes to standard error: standard output is that of ssh, or of whatever runs it.
    func run(_ run: LoginRun) throws(LoginError) -> Bool {
        guard let keeping = run.keeping else { throw .noName }
        _ = try LoginIfNeeded(run.name, at: keeping.place, below: try KeyPlace.home() + "/.opk").run(
            patience: run.options.patience,
            waiting: { Terminal.note("opk: another process is logging in as \(run.name): waiting for it …") },
            logIn: { () throws(LoginError) in
                Terminal.note("opk: a login as \(run.name) is needed.")
                let outcome = try run.logIn()
                // ssh goes on by itself: where the key is, and how to connect, is nothing to read now.
                for line in run.summary(outcome).prefix(2) { run.output.note(line) }
                try run.keepAlive(outcome)
            })
        return true
    }
}
