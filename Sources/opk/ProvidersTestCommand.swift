import ArgumentParser
import Display
import HTTP
import Login
import Vocabulary

struct ProvidersTestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Find out whether a provider can be used, without logging in.",
        usage: "opk providers test [<options>] [<alias>]",
        discussion: """
            Each line is ok, warn or fail; the exit status is 1 if one is fail. Afterwards the row for a server's /etc/opk/providers.

            EXAMPLES
              opk providers test google
              opk providers test --provider https://idp.example.com,opk
            """)

    @Argument(
        help: ArgumentHelp("One of `opk providers`; without it the default one.", valueName: "alias"), completion: CompletedWords.aliases)
    var aliases: [String] = []

    @Option(help: ArgumentHelp("Any other provider.", valueName: "issuer,client_id[,secret[,scopes]]"))
    var provider: String?

    @Flag(help: "For scripts.")
    var json = false

    @Flag(name: .shortAndLong, help: "Say what is asked of whom; never a secret.")
    var verbose = false

    @Option(help: ArgumentHelp("How long to wait for one answer.", valueName: "time"))
    var timeout: String = "5s"

    @OptionGroup var config: ClientConfigOptions

    func run() throws {
        try reportingErrors { () throws(LoginError) in
            guard aliases.count <= 1 else { throw .tooManyArguments }
            let patience = try LoginOptions.patience(timeout)
            guard case .provider(let chosen, _) = try config.read().choose(alias: aliases.first, argument: provider) else {
                throw .noProvider(aliases: try config.read().aliases)
            }
            let examination = ProviderExamination(chosen, http: OutputOptions.client(timeout: patience, isVerbose: verbose))
            if json {
                try Terminal.print(examination.json.pretty())
            } else {
                for line in examination.lines { try Terminal.print(line) }
            }
            return examination.isUsable
        }
    }
}
