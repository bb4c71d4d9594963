import ArgumentParser
import Display
import JOSE
import PolicyAdministration
import Vocabulary

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Who may log in as whom, and for how long.",
        usage: "opk list [<options>]",
        discussion: """
            A row for each of auth_id, with its line; below them those that grant nothing because they cannot be read. What config.yml \
            demands, and who is in revoked, holds besides.

            EXAMPLES
              sudo opk list
              sudo opk list --account root
              sudo opk list --who alice@example.com
            """)

    @Option(help: ArgumentHelp("Rows of this account only.", valueName: "account"))
    var account: String?

    @Option(help: ArgumentHelp("Rows of this identity only; of an email address also those of its domain.", valueName: "who"))
    var who: String?

    @Flag(help: "Rows whose time is over only.")
    var expired = false

    @OptionGroup var policy: PolicyOptions

    func run() throws {
        try reportingErrors { () throws(PolicyError) in
            var filter = PolicyListing.Filter()
            (filter.account, filter.who, filter.onlyExpired) = (account.map { Text($0) }, who.map { Text($0) }, expired)
            let listing = try PolicyListing(try policy.place(), filter, at: .now())
            if policy.json { try Terminal.tell(listing.json) } else { try Terminal.tell(listing.lines) }
            return true
        }
    }
}
