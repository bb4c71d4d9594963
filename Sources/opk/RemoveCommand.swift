import ArgumentParser
import JOSE
import PolicyAdministration
import Vocabulary

struct RemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Take back what opk add gave.",
        usage: "opk remove [<options>] [<account>] [<who>] [<issuer>]",
        discussion: """
            Removes rows of auth_id and shows them. With an account alone, or an account and an identity, the rows must be of one person and \
            one issuer; otherwise they are shown and none is removed, unless --all is given.

            EXAMPLES
              sudo opk remove root alice@example.com google
              sudo opk remove --line 12
              sudo opk remove deploy --all
            """)

    @Argument(help: ArgumentHelp("An account, as the row has it.", valueName: "account"))
    var account: String?

    @Argument(help: ArgumentHelp("An identity, as the row has it.", valueName: "who"))
    var who: String?

    @Argument(help: ArgumentHelp("An issuer or its alias.", valueName: "issuer"), completion: CompletedWords.issuers)
    var issuer: String?

    @Option(help: ArgumentHelp("The row on this line, good or bad; with words it must be theirs.", valueName: "number"))
    var line: Int?

    @Flag(help: "All rows of that description, whoever's.")
    var all = false

    @OptionGroup var change: PolicyChangeOptions

    func run() throws {
        try reportingErrors { () throws(PolicyError) in
            let place = try change.place()
            let outcome = try RemoveRows(try selection(), in: place, takesAll: all).run(isTrial: change.dryRun)
            let path = place.authID.path
            if change.json {
                try Terminal.tell(.change("remove", path, written: true, isTrial: change.dryRun, [("removed", .rows(outcome.removed))]))
            } else {
                try Terminal.tell(outcome.removed.map { "\(change.dryRun ? "would be removed" : "removed") \($0.described(in: path))" })
            }
            return true
        }
    }

    private func selection() throws(PolicyError) -> RemoveRows.Selection {
        var named: Text?
        if let issuer { named = try KnownIssuer.named(Text(issuer)) }
        let who = who.map { Text($0) }
        if let line {
            if all { throw .notTogether("--line", "--all") }
            return .line(line, account: account.map { Text($0) }, who: who, issuer: named)
        }
        guard let account else { throw .missing("which row? an account, or --line NUMBER") }
        return .words(account: Text(account), who: who, issuer: named)
    }
}
