import ArgumentParser
import Identities
import Login
import Vocabulary

struct AgentRefreshCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent-refresh",
        abstract: "Keep logins of `opk login --refresh` alive.",
        discussion: """
            Goes on in the foreground, without a terminal, until SIGTERM or Ctrl-C; new logins are noticed within a minute. Servers \
            take refreshed identities where their providers row says oidc-refreshed.

            EXAMPLES
              systemctl --user enable --now opk-agent-refresh
              opk agent-refresh work
              opk agent-refresh --once      (whatever is due, then end: for a timer)
              opk agent-refresh --now work  (once, due or not)
            """)

    @Argument(help: ArgumentHelp("Only these identities.", valueName: "name"), completion: CompletedWords.identities)
    var names: [String] = []

    @Flag(help: "Refresh what is due, and end; the exit status is 1 if something failed.")
    var once = false

    @Flag(help: "Refresh now, due or not, and end.")
    var now = false

    @Flag(name: .shortAndLong, help: "Say what is asked of whom; never a secret.")
    var verbose = false

    func run() throws {
        try reportingErrors { () throws(LoginError) in
            let only = try names.map { text throws(LoginError) in try IdentityName.named(text) }
            let refresher = IdentityRefresher(below: try KeyPlace.home() + "/.opk", http: OutputOptions.client(isVerbose: verbose))
            for name in only where (try? refresher.identities.read(name)) == nil { throw .noIdentity(name.text) }
            OrderlyStop.begin()
            var loop = RefreshLoop(refresher, only: only) { Terminal.note("opk: \($0)") }
            guard once || now else {
                loop.run()
                return true
            }
            let round = loop.round(at: .now(), isForced: now, isLast: true)
            if round.looksAfter == 0, round.failed == 0 {
                Terminal.note("opk: there is no identity with a refresh token; `opk login --refresh` gets one")
            }
            return round.failed == 0
        }
    }
}
