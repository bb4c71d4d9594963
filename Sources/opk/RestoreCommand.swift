import ArgumentParser
import JOSE
import PolicyAdministration
import Vocabulary

struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Take back what opk revoke wrote.",
        usage: "opk restore [<options>] [<who>]",
        discussion: """
            Removes the row of /etc/opk/revoked that is about exactly this, and shows it. Another row about the same person, by their key for \
            instance, stays.

            EXAMPLES
              sudo opk restore bob@example.com
              sudo opk restore --line 4
            """)

    @Argument(help: ArgumentHelp("As for opk revoke.", valueName: "who"))
    var who: String?

    @Option(help: ArgumentHelp("Whose subject it is: a URL or an alias.", valueName: "issuer"), completion: CompletedWords.issuers)
    var issuer: String?

    @Option(help: ArgumentHelp("The row on this line.", valueName: "number"))
    var line: Int?

    @Flag(help: "All rows about this, where there are several.")
    var all = false

    @OptionGroup var change: PolicyChangeOptions

    func run() throws {
        try reportingErrors { () throws(PolicyError) in
            let work = try RestoreRow(try selection(), takesAll: all, in: try change.place())
            let removed = try work.run(isTrial: change.dryRun)
            if change.json {
                try Terminal.tell(.change("restore", work.path, written: true, isTrial: change.dryRun, [("removed", .rows(removed))]))
            } else {
                try Terminal.tell(removed.map { "\(change.dryRun ? "would be removed" : "removed") \($0.described(in: work.path))" })
            }
            return true
        }
    }

    private func selection() throws(PolicyError) -> RestoreRow.Selection {
        if let line {
            if who != nil { throw .notTogether("--line", "WHO") }
            if all { throw .notTogether("--line", "--all") }
            return .line(line)
        }
        guard let who else { throw .missing("who? as for opk revoke, or --line NUMBER") }
        return .target(try RevocationTarget(Text(who), issuer: issuer.map { Text($0) }).what)
    }
}
