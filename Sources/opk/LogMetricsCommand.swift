import Alerts
import ArgumentParser
import AuditTrail
import KeyAdministration
import KeyCache
import Vocabulary

struct LogMetricsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics",
        abstract: "Counters and the age of keys, for Prometheus.",
        discussion: """
            Run every minute by opk-minute.timer where the folder of node_exporter's textfile collector is there. Counts what is new \
            in the log, and remembers it, so that the counters outlive its rotation.
            """)

    @Option(help: ArgumentHelp("Write to this file, whole or not at all, instead of showing it.", valueName: "file"))
    var textfile: String?

    @Option(help: ArgumentHelp("Where the keys lie.", valueName: "folder"))
    var cacheDir: String = KeyCache.defaultDirectory

    @OptionGroup var folders: LogStateOptions

    func run() throws {
        var metrics = Metrics(trail: AuditTrail(path: folders.auditLog), stateFolder: folders.stateDir)
        try reportingErrors { () throws(AlertError) in
            try metrics.count()
            let text = metrics.text(inventory(), sessions: nil, at: .now())
            if let textfile {
                try Metrics.write(text, to: textfile)
            } else if let number = Terminal.failure(writing: Array(text.utf8)) {
                throw .writing("the output cannot be written: error \(number)")
            }
            return true
        }
    }

    /// Nil where they cannot be looked at: then there are no figures about them, and the others are there.
    private func inventory() -> KeyInventory? {
        do {
            return try KeyInventory(KeyStore(configFolder: folders.configDir, cacheFolder: cacheDir), at: .now())
        } catch {
            Terminal.note("opk: warning: nothing is said about keys: \(error)")
            return nil
        }
    }
}
