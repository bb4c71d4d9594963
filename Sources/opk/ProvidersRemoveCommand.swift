import ArgumentParser
import Login
import Vocabulary

struct ProvidersRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Take a provider out of ~/.opk/config.yml.",
        discussion: """
            With all of its aliases. Everything else in the file stays as it is, comments too.

            EXAMPLE
              opk providers remove work
            """)

    @Argument(help: ArgumentHelp("One of its aliases.", valueName: "alias"), completion: CompletedWords.aliases)
    var alias: String

    @Flag(help: "Only show what would be done.")
    var dryRun = false

    @Option(help: ArgumentHelp("Change this instead of ~/.opk/config.yml.", valueName: "file"), completion: .file())
    var configPath: String?

    func run() throws {
        try reportingErrors { () throws(LoginError) in
            let outcome = try ClientConfigEdit(path: configPath).remove(Text(alias), isTrial: dryRun)
            let names = outcome.listed.provider.aliases.map { Text($0).escaped(limit: 64) }.joined(separator: " ")
            try Terminal.print("\(outcome.listed.origin): the provider \(names) \(dryRun ? "would be" : "is") gone")
            return true
        }
    }
}
