import ArgumentParser
import Display
import JOSE
import PolicyAdministration
import Vocabulary

/// Whose policy, and how it is shown.
struct PolicyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Where the files lie; /etc/opk for root, else ~/.opk.", valueName: "folder"), completion: .directory)
    var configDir: String?

    @Flag(help: "For scripts: one JSON object.")
    var json = false

    func place() throws(PolicyError) -> PolicyPlace { try PolicyPlace(configFolder: configDir) }
}

/// The same of commands that write.
struct PolicyChangeOptions: ParsableArguments {
    @Flag(help: "Only show what would be written.")
    var dryRun = false

    @OptionGroup var policy: PolicyOptions

    var json: Bool { policy.json }

    func place() throws(PolicyError) -> PolicyPlace { try policy.place() }
}

extension Terminal {
    static func tell(_ lines: [String]) throws(PolicyError) {
        if let number = failure(writing: Array(lines.map { $0 + "\n" }.joined().utf8)) { throw .output(errno: number) }
    }

    static func tell(_ json: JSON) throws(PolicyError) { try tell([json.pretty()]) }

    static func warn(_ warnings: [PolicyWarning]) {
        for warning in warnings {
            note("opk: warning: \(warning.text)")
            if let hint = warning.hint { note("opk: hint: \(hint)") }
        }
    }
}

extension JSON {
    /// What commands that change a file have in common: which file, whether it was written, whether that was only asked.
    static func change(_ command: Text, _ path: String, written: Bool, isTrial: Bool, _ more: [(Text, JSON)]) -> JSON {
        var object = JSONObject()
        object["command"] = .string(command)
        object["file"] = .string(Text(path))
        object["written"] = .bool(written && !isTrial)
        object["dry_run"] = .bool(isTrial)
        for (name, value) in more { object[name] = value }
        return .object(object)
    }

    static func rows(_ rows: [NumberedRow]) -> JSON { .array(rows.map(\.json)) }

    static func line(_ number: Int) -> JSON { .number(JSONNumber(Int64(number))) }
}
