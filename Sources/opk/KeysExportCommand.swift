import ArgumentParser
import KeyAdministration
import SafeFiles
import Vocabulary

struct KeysExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write keys for a machine that has no network.",
        usage: "opk keys export [<options>] [<issuer> ...]",
        discussion: """
            Keys are public, but whoever can change the file on its way can let themselves in where it is imported. What cannot be exported is \
            said; the exit status is 1 then, and what can be is written all the same.
            """)

    @Argument(help: ArgumentHelp("Whose; all that the file providers names if none is given.", valueName: "issuer"))
    var issuers: [String] = []

    @Option(
        name: [.customShort("o"), .long], help: ArgumentHelp("Into this file, whole or not at all.", valueName: "file"), completion: .file()
    )
    var output: String?

    @OptionGroup var folders: ServerFolders

    func run() throws {
        try reportingErrors { () throws(KeysError) in
            let export = try KeyExport(folders.store(), of: issuers.map { Text($0) }, at: .now())
            for (issuer, why) in export.missing { Terminal.note("opk: error: \(issuer): \(why)") }
            if export.keys.isEmpty { throw .nothingToExport }
            if let output {
                do throws(WriteFailure) {
                    try AtomicFile.write(export.text, to: output, mode: 0o644)
                } catch {
                    throw .writing(error)
                }
            } else {
                try Terminal.show(export.text)
            }
            return export.missing.isEmpty
        }
    }
}
