import ArgumentParser
import FetchSetup
import KeyAdministration
import KeyCache
import Vocabulary

struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Show, renew and carry a server's copies of the providers' keys.",
        discussion: """
            For whoever administers a server: a login needs no network as long as its provider's keys are here and young enough.

            EXAMPLES
              sudo opk keys                             what is there, from where, how old
              sudo opk keys refresh                     renew all of them now
              sudo opk keys export -o keys.json         on a machine with network
              sudo opk keys import keys.json            on one without
            """,
        subcommands: [KeysListCommand.self, KeysRefreshCommand.self, KeysExportCommand.self, KeysImportCommand.self],
        defaultSubcommand: KeysListCommand.self)
}

/// Where a server's files lie.
struct ServerFolders: ParsableArguments {
    @Option(help: ArgumentHelp("Where the keys lie.", valueName: "folder"))
    var cacheDir: String = KeyCache.defaultDirectory

    @Option(help: ArgumentHelp("Where providers and config.yml lie.", valueName: "folder"))
    var configDir: String = FetchSettings.defaultFolder

    /// Whether the keys are those that opk-verify reads.
    var areSystems: Bool { cacheDir == KeyCache.defaultDirectory }

    func store() throws(KeysError) -> KeyStore { try KeyStore(configFolder: configDir, cacheFolder: cacheDir) }
}

extension Terminal {
    static func show(_ lines: [String]) throws(KeysError) { try show(Array(lines.map { $0 + "\n" }.joined().utf8)) }

    static func show(_ bytes: [UInt8]) throws(KeysError) {
        if let number = failure(writing: bytes) { throw .output(errno: number) }
    }
}
