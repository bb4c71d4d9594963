import ArgumentParser
import Display
import JOSE
import PolicyAdministration
import Vocabulary

struct PruneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Remove rows whose time is over.",
        discussion: """
            An expired row admits nobody; this takes it out of auth_id and shows it. Comments stay.

            EXAMPLES
              sudo opk prune --dry-run
              sudo opk prune
            """)

    @OptionGroup var change: PolicyChangeOptions

    func run() throws {
        try reportingErrors { () throws(PolicyError) in
            let now = UnixTime.now()
            let place = try change.place()
            let path = place.authID.path
            let removed = try PruneRows(place, at: now).run(isTrial: change.dryRun)
            if change.json {
                let rows = removed.map { item -> JSON in
                    [
                        "line": .line(item.row.line), "row": .string(item.row.text), "expired": .string(Text("\(item.expired)")),
                        "expired_seconds": .number(JSONNumber(item.expired.seconds)),
                    ]
                }
                try Terminal.tell(.change("prune", path, written: !removed.isEmpty, isTrial: change.dryRun, [("removed", .array(rows))]))
            } else if removed.isEmpty {
                try Terminal.tell(["\(Text(path).escaped) has no row whose time is over."])
            } else {
                let word = change.dryRun ? "would be removed" : "removed"
                try Terminal.tell(
                    removed.map { "\(word), expired \(RelativeTime.text($0.expired, from: now)): \($0.row.described(in: path))" })
            }
            return true
        }
    }
}
