import ArgumentParser
import Display
import JOSE
import Policy
import PolicyAdministration
import Vocabulary

struct RevokeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Have somebody, or a key, out at the next login.",
        usage: "opk revoke [<options>] <who>",
        discussion: """
            Adds a row to /etc/opk/revoked and shows it. Whatever auth_id, home files and plugins say, whom it is about is refused. Sessions that \
            are open go on.

            A key alone is a key alone: its owner logs in again with the next one. To have a person out, name the email address or the subject.

            EXAMPLES
              sudo opk revoke bob@example.com
              sudo opk revoke 103030642802723203118 --issuer google
              sudo opk revoke SHA256:4skbUK…
              sudo opk revoke ~bob/.ssh/id_ecdsa-cert.pub
              sudo opk revoke issuer:https://idp.example.com --before now
            """)

    @Argument(
        help: ArgumentHelp(
            "An email address, a subject with --issuer, SHA256:…, the file of a public key or certificate; or email:…, sub:SUBJECT@ISSUER, key:…, issuer:URL.",
            valueName: "who"))
    var who: String

    @Option(help: ArgumentHelp("Only identities that were issued earlier: a time, or now.", valueName: "time"))
    var before: String?

    @Option(help: ArgumentHelp("Whose subject it is: a URL or an alias.", valueName: "issuer"), completion: CompletedWords.issuers)
    var issuer: String?

    @OptionGroup var change: PolicyChangeOptions

    func run() throws {
        try reportingErrors { () throws(PolicyError) in
            let now = UnixTime.now()
            let place = try change.place()
            let target = try RevocationTarget(Text(who), issuer: issuer.map { Text($0) })
            let work = try RevokeRow(target.what, before: try time(now), in: place)
            let outcome = try work.run(isTrial: change.dryRun)
            if change.json {
                try Terminal.tell(
                    .change(
                        "revoke", work.path, written: outcome.isNew, isTrial: change.dryRun,
                        [
                            ("line", .line(outcome.row.line)), ("row", .string(outcome.row.text)), ("already", .bool(!outcome.isNew)),
                            ("person", .array(target.person.map { .string($0.word) })),
                        ]))
            } else {
                try Terminal.tell(lines(work, outcome, target, now))
            }
            return true
        }
    }

    private func lines(_ work: RevokeRow, _ outcome: RevokeRow.Outcome, _ target: RevocationTarget, _ now: UnixTime) -> [String] {
        var lines = [outcome.row.described(in: work.path)]
        if outcome.isNew {
            var sentence = "\(target.what.inWords) \(change.dryRun ? "would be" : "is") out"
            if let before = work.revocation.before {
                sentence += ", with what was issued before \(before.local) (\(RelativeTime.text(before, from: now)))"
            }
            lines.append("  \(sentence)")
        }
        if change.dryRun || !outcome.isNew {
            lines.append("  \(outcome.isNew ? "" : "is there already: ")nothing was written")
        }
        if !target.person.isEmpty {
            lines.append(
                "That is this key alone. The certificate says that it is of the person below, who can log in again with another key until:")
            lines += target.person.map { "  sudo opk revoke \(RevokeCommand.quoted($0.word))" }
        }
        lines += [
            "Sessions that are open go on. `who` shows them, and this closes those of one account:",
            "  sudo pkill -HUP -f '^sshd.*: ACCOUNT@'",
        ]
        return lines
    }

    /// For a shell, since a certificate may say anything and this is made to be copied.
    static func quoted(_ word: Text) -> String {
        "'" + word.escapedOnce(limit: 400).split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    private func time(_ now: UnixTime) throws(PolicyError) -> UnixTime? {
        guard let before else { return nil }
        // What was issued in this second may not have been before it; the next one is safe.
        if before == "now" { return UnixTime(seconds: now.seconds + 1) }
        return try TimeArgument.parse(Text(before), .start, now: now)
    }
}
