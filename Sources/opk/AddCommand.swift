import ArgumentParser
import Display
import JOSE
import Policy
import PolicyAdministration
import Vocabulary

struct AddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Let somebody log in as an account.",
        discussion: """
            Adds a row to /etc/opk/auth_id (as root) or ~/.opk/auth_id (as anybody else), shows it, and writes nothing where an equal one is \
            there. WHO is an email address, a subject, oidc:CLAIM:VALUE, oidc-match-end:email:@DOMAIN or repo:PATTERN. Rows add up: a narrower \
            one takes nothing away from a wider one, but --replace does.

            EXAMPLES
              sudo opk add root alice@example.com google
              sudo opk add deploy oidc:groups:release https://idp.example.com --for 2h
              sudo opk add '*' oidc:groups:staff google --account-claim nickname
            """)

    @Argument(help: ArgumentHelp("An account of this machine; * with --account-claim.", valueName: "account"))
    var account: String

    @Argument(help: ArgumentHelp("Who may log in as that.", valueName: "who"))
    var who: String

    @Argument(
        help: ArgumentHelp("A URL, or google, azure, microsoft, gitlab, hello.", valueName: "issuer"), completion: CompletedWords.issuers)
    var issuer: String

    @OptionGroup(title: "Limits") var limits: LimitOptions

    @Flag(help: "Replace rows of the same account, who and issuer.")
    var replace = false

    @OptionGroup var change: PolicyChangeOptions

    func run() throws {
        try reportingErrors { () throws(PolicyError) in
            let now = UnixTime.now()
            let place = try change.place()
            let request = RowRequest(
                account: Text(account), who: Text(who), issuer: try KnownIssuer.named(Text(issuer)), options: try limits.options(now: now))
            let outcome = try AddRow(request, in: place, replaces: replace).run(isTrial: change.dryRun)
            let warnings = outcome.warnings(in: place)
            try show(outcome, warnings, place, now)
            Terminal.warn(warnings)
            return true
        }
    }

    private func show(_ outcome: AddRow.Outcome, _ warnings: [PolicyWarning], _ place: PolicyPlace, _ now: UnixTime) throws(PolicyError) {
        let path = place.authID.path
        if change.json {
            try Terminal.tell(
                .change(
                    "add", path, written: outcome.isNew, isTrial: change.dryRun,
                    [
                        ("line", .line(outcome.row.line)), ("row", .string(outcome.row.text)), ("already", .bool(!outcome.isNew)),
                        ("replaced", .rows(outcome.replaced)), ("others", .rows(outcome.others)),
                        ("warnings", .array(warnings.map { .string(Text($0.text)) })),
                    ]))
            return
        }
        var lines = [outcome.row.described(in: path)]
        if !outcome.isNew {
            lines.append("  is there already: nothing was written")
        } else {
            lines.append("  \(change.dryRun ? "would say: " : "")\(sentence(outcome.meaning, now))")
            if change.dryRun { lines.append("  nothing was written") }
        }
        for row in outcome.replaced { lines.append("  in the place of \(row.described(in: path))") }
        try Terminal.tell(lines)
    }

    /// What the row means, as it was read back.
    private func sentence(_ row: AuthRow, _ now: UnixTime) -> String {
        var account = "\(row.account)"
        if case .byClaim = row.account, let claim = row.options.accountClaim { account = "the account that the claim \(claim) names" }
        var sentence = "\(row.identity.inWords), by \(row.issuer), may log in as \(account)"
        if let starts = row.options.starts { sentence += ", from \(starts.local) (\(RelativeTime.text(starts, from: now)))" }
        if let expires = row.options.expires { sentence += ", until \(expires.local) (\(RelativeTime.text(expires, from: now)))" }
        return sentence
    }
}

/// The options of the new row.
struct LimitOptions: ParsableArguments {
    @Option(
        name: .customLong("for"), help: ArgumentHelp("From now (or --starts) so long: 90m, 2h, 7d.", valueName: "span"))
    var span: String?

    @Option(
        help: ArgumentHelp(
            "2026-12-24T18:00Z; local: \"2026-12-24 18:00\", 18:00.", valueName: "time"))
    var until: String?

    @Option(help: ArgumentHelp("Not before that; a day means its beginning.", valueName: "time"))
    var starts: String?

    @Option(help: ArgumentHelp("From there only, as sshd's from=; repeatable.", valueName: "addresses"))
    var from: [String] = []

    @Option(help: ArgumentHelp("Then only: \"mon-fri 08:00-18:00 Europe/Berlin\".", valueName: "hours"))
    var hours: String?

    @Option(help: ArgumentHelp("This must hold as well; repeatable.", valueName: "claim:value"))
    var claim: [String] = []

    @Option(help: ArgumentHelp("Signed in with this (or hwk|fido); repeatable.", valueName: "method"))
    var amr: [String] = []

    @Option(help: ArgumentHelp("Signed in at this level (acr).", valueName: "level"))
    var acr: String?

    @Option(help: ArgumentHelp("The login is no older than this: 1h.", valueName: "span"))
    var maxAge: String?

    @Option(help: ArgumentHelp("They proved who they are no longer ago than this.", valueName: "span"))
    var maxAuthAge: String?

    @Option(help: ArgumentHelp("The account is the one that this claim names.", valueName: "claim"))
    var accountClaim: String?

    @Flag(help: "Admits where a requirement excepts break-glass.")
    var breakGlass = false

    @Option(help: ArgumentHelp("Only this command is run, whatever is asked for.", valueName: "command"))
    var command: String?

    @Flag(help: "sshd's restrict: no terminal, no forwarding.")
    var restrict = false

    @Flag(help: "A terminal all the same.")
    var pty = false

    @Option(help: ArgumentHelp("Another of sshd's, NAME[=VALUE]; repeatable.", valueName: "option"))
    var option: [String] = []

    @Option(help: ArgumentHelp("Why; it goes to the log.", valueName: "text"))
    var reason: String?

    func options(now: UnixTime) throws(PolicyError) -> [RowText.Option] {
        var limits = RowLimits()
        (limits.span, limits.until, limits.starts) = (span.map { Text($0) }, until.map { Text($0) }, starts.map { Text($0) })
        (limits.from, limits.hours, limits.claims) = (from.map { Text($0) }, hours.map { Text($0) }, claim.map { Text($0) })
        (limits.methods, limits.level) = (amr.map { Text($0) }, acr.map { Text($0) })
        (limits.maximumAge, limits.maximumAuthAge) = (maxAge.map { Text($0) }, maxAuthAge.map { Text($0) })
        (limits.accountClaim, limits.isBreakGlass) = (accountClaim.map { Text($0) }, breakGlass)
        (limits.command, limits.restrict, limits.pty) = (command.map { Text($0) }, restrict, pty)
        (limits.session, limits.reason) = (option.map { Text($0) }, reason.map { Text($0) })
        return try limits.options(now: now)
    }
}
