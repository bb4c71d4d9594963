import ArgumentParser
import PolicyAdministration
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

struct EditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit",
        abstract: "Edit a file of policy, checked before it counts.",
        discussion: """
            Opens a copy in $VISUAL, $EDITOR or an editor that is there, and looks it over as opk-verify would. What cannot be read is shown \
            with its line, and you are asked whether to edit again. Nothing is installed if the file was changed by somebody else meanwhile.

            FILE is auth_id, providers, config.yml or revoked.
            """)

    @Argument(
        help: ArgumentHelp("auth_id, providers, config.yml or revoked.", valueName: "file"),
        completion: .list(["auth_id", "providers", "config.yml", "revoked"]), transform: EditCommand.file)
    var file: EditableFile = .authID

    @Option(
        help: ArgumentHelp("Where the files lie; /etc/opk for root, else ~/.opk.", valueName: "folder"), completion: .directory)
    var configDir: String?

    func run() throws {
        try reportingErrors { () throws(PolicyError) in
            guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1, isatty(STDERR_FILENO) == 1 else { throw .noTerminal }
            let edit = try PolicyEdit(file, in: try PolicyPlace(configFolder: configDir))
            let name = Text(edit.path).escaped
            switch try edit.run(ask: { ask($0, name) }) {
            case .installed: Terminal.note("\(name) is installed.")
            case .unchanged: Terminal.note("\(name) is unchanged.")
            case .abandoned: Terminal.note("\(name) is left as it was.")
            }
            return true
        }
    }

    private func ask(_ faults: [String], _ name: String) -> PolicyEdit.Answer {
        for fault in faults.prefix(20) { Terminal.note("\(name): \(fault)") }
        if faults.count > 20 { Terminal.note("and \(faults.count - 20) more") }
        Terminal.note(file.consequence)
        while true {
            Terminal.note("(e)dit again, e(x)it without saving, or `save anyway` in full?")
            guard let line = readLine() else { return .none }
            switch line.lowercased() {
            case "e", "edit": return .again
            case "x", "q", "exit", "quit": return .exit
            case "save anyway": return .saveAnyway
            default: continue
            }
        }
    }

    private static func file(_ text: String) throws -> EditableFile {
        guard let file = EditableFile(rawValue: text) else { throw ValidationError("a file is auth_id, providers, config.yml or revoked") }
        return file
    }
}
