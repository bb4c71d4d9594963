import Alerts
import ArgumentParser
import AuditTrail
import FetchSetup
import Vocabulary

struct LogNotifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notify",
        abstract: "Tell of what happened, as notify in config.yml says.",
        usage: "opk log notify [<options>]",
        discussion: """
            Run every minute by opk-minute.timer. Tells of events since the last time, each once, and writes down which files of \
            /etc/opk were changed without a command of opk. What cannot be delivered is tried again, ten times.
            """)

    @OptionGroup var folders: LogStateOptions

    @Flag(help: "Say only what goes wrong.")
    var quiet = false

    func run() throws {
        let notifier = Notifier(
            configFolder: folders.configDir, trail: AuditTrail(path: folders.auditLog), stateFolder: folders.stateDir)
        try reportingErrors { () throws(AlertError) in
            let report = try notifier.run(at: .now(), newID: EventID.new)
            for change in report.changes where !quiet { Terminal.note("changed: \(Text(change.path).escaped)") }
            for sentence in report.told where !quiet { Terminal.note("told: \(sentence)") }
            for damage in report.damages { Terminal.note("opk: warning: \(Text(folders.auditLog).escaped): \(damage.description)") }
            for sentence in report.failed { Terminal.note("opk: error: \(sentence)") }
            return report.failed.isEmpty
        }
    }
}

/// Where the log lies, and what is remembered about it.
struct LogStateOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The audit log.", valueName: "file"))
    var auditLog: String = AuditTrail.defaultPath

    @Option(help: ArgumentHelp("Where it is remembered what was dealt with.", valueName: "folder"))
    var stateDir: String = "/var/lib/opk"

    @Option(help: ArgumentHelp("Where config.yml lies.", valueName: "folder"))
    var configDir: String = FetchSettings.defaultFolder

    func validate() throws {
        for path in [auditLog, stateDir, configDir] where path.utf8.first != UInt8(ascii: "/") {
            throw ValidationError("\(Text(path).escaped) is not an absolute path")
        }
    }
}

extension AlertError: ToldError {
    var rows: [String] { [] }
    var isUsage: Bool { false }
}
