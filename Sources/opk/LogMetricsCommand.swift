import Alerts
import ArgumentParser
import AuditTrail
import KeyAdministration
import KeyCache
import Sessions
import Vocabulary

struct LogMetricsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics",
        abstract: "Counters and the age of keys, for Prometheus.",
        usage: "opk log metrics [<options>]",
        discussion: """
            Run every minute by opk-minute.timer where the folder of node_exporter's textfile collector is there. Counts what is new \
            in the log, and remembers it, so that the counters outlive its rotation.
            """)

    @Option(help: ArgumentHelp("Write to this file, whole or not at all, instead of showing it.", valueName: "file"))
    var textfile: String?

    @Flag(help: "Do nothing where that file's folder is not there.")
    var ifFolder = false

    @Option(help: ArgumentHelp("Where the keys lie.", valueName: "folder"))
    var cacheDir: String = KeyCache.defaultDirectory

    @OptionGroup var folders: LogStateOptions

    func run() throws {
        var metrics = Metrics(trail: AuditTrail(path: folders.auditLog), stateFolder: folders.stateDir)
        if ifFolder, let textfile, !Metrics.hasFolder(for: textfile) { return }
        try reportingErrors { () throws(AlertError) in
            try metrics.count()
            let text = metrics.text(inventory(), sessions: sessions(), at: .now())
            if let textfile {
                try Metrics.write(text, to: textfile)
            } else if let number = Terminal.failure(writing: Array(text.utf8)) {
                throw .writing("the output cannot be written: error \(number)")
            }
            return true
        }
    }

    /// Nil where nobody writes them down.
    private func sessions() -> Int? {
        guard let found = try? SessionFolder().records(), !found.records.isEmpty || Metrics.hasFolder(for: SessionFolder().path + "/x")
        else { return nil }
        return found.records.count
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
