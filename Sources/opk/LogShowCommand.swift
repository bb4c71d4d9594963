import ArgumentParser
import AuditReading
import AuditTrail
import Display
import JOSE
import PolicyAdministration
import Vocabulary

struct LogShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Who came in, who did not and why, and who changed what.",
        usage: "opk log show [<options>]",
        discussion: """
            Reads /var/log/opk/audit.jsonl and what was rotated away of it. Without --since, --until or --file it shows the last 24 hours. What belongs to one \
            login is one line; a summary stands at the end.

            EXAMPLES
              sudo opk log --since yesterday
              sudo opk log --since 2h --denied
              sudo opk log --since 2026-11-27 --who alice@example.com
              sudo opk log --follow
              sudo opk log --since 7d --summary
              sudo opk log --since 7d --format ocsf
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, ocsf, ecs }

    @Option(help: ArgumentHelp("From then on: 2h, today, yesterday, 2026-11-27, 18:00, or RFC 3339.", valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Before then.", valueName: "time"))
    var until: String?

    @Option(help: ArgumentHelp("About them only: an email address, @DOMAIN, a subject, or who changed something.", valueName: "who"))
    var who: String?

    @Option(help: ArgumentHelp("About this account only.", valueName: "account"))
    var account: String?

    @Flag(help: "Refused decisions only.")
    var denied = false

    @Option(
        help: ArgumentHelp("Events of this type only; may be repeated.", valueName: "type"),
        completion: .list(AuditKind.allCases.map(\.rawValue)))
    var type: [String] = []

    @Flag(name: [.short, .long], help: "Go on, and show each event as it comes, until Ctrl-C.")
    var follow = false

    @Flag(help: "The same as --format json.")
    var json = false

    @Option(help: ArgumentHelp("text, or one event a line: json (as it is in the log), ocsf or ecs.", valueName: "format"))
    var format: Format?

    @Flag(help: "Only the summary.")
    var summary = false

    @Option(
        help: ArgumentHelp("In the place of /var/log/opk/audit.jsonl; - for standard input. May be repeated.", valueName: "file"),
        completion: .file())
    var file: [String] = []

    func run() throws {
        try reportingErrors { () throws(LogError) in
            let format = try wantedFormat()
            let query = try query(at: .now())
            let paths = file.isEmpty ? [AuditTrail.defaultPath] : file
            let view = LogView(format: format, showsEvents: !summary)
            if follow { return try LogRun(query, view).follow(paths, backwards: since != nil) }
            return try LogRun(query, view).show(paths, isWholeFile: !file.isEmpty)
        }
    }

    private func wantedFormat() throws(LogError) -> Format {
        if json, let format, format != .json { throw .usage("--json is --format json, and cannot be used with another one") }
        if follow, until != nil { throw .usage("--follow has no end, so --until cannot be used with it") }
        if follow, summary { throw .usage("--follow shows events, so --summary cannot be used with it") }
        if follow, file.count > 1 || file == ["-"] { throw .usage("--follow reads one file") }
        if summary, json || (format ?? .text) == .json { return .json }
        if summary, let format, format != .text { throw .usage("--summary has the formats text and json") }
        return json ? .json : format ?? .text
    }

    private func query(at now: UnixTime) throws(LogError) -> LogQuery {
        var query = LogQuery()
        query.since = try since.map { text throws(LogError) in try LogTime.parse(Text(text), now: now) }
        query.until = try until.map { text throws(LogError) in try LogTime.parse(Text(text), now: now) }
        if since == nil, until == nil, file.isEmpty, !follow { query.since = now + -86_400 }
        if let since = query.since, let until = query.until, since >= until { throw .usage("--since is not before --until") }
        (query.who, query.account, query.isDenied) = (who.map { Text($0) }, account.map { Text($0) }, denied)
        for name in type {
            guard let kind = AuditKind(rawValue: name) else { throw .type(Text(name)) }
            query.kinds.append(kind)
        }
        return query
    }
}

extension LogError: ToldError {}
