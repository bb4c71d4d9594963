public import JOSE
public import Vocabulary

/// One thing to be done so that a login is admitted; where several are listed, all of them are needed.
public struct Change: Hashable, Sendable {
    /// A sentence, or a command. Not escaped.
    public let text: String
    public let action: Action

    public enum Action: Hashable, Sendable {
        /// A row at the end of this file, and the command that writes it, where there is one.
        case addRow(file: String, row: String, command: String?)
        /// This row in the place of that line.
        case replaceLine(file: String, line: Int, row: String)
        case removeLine(file: String, line: Int, command: String)
        /// By hand.
        case edit(file: String, line: Int?)
        case wait(until: UnixTime)
        /// The person logs in again.
        case logIn
        /// The provider's administrator says something else about the person.
        case atProvider
        /// The person comes from elsewhere.
        case comeFrom
        case command(String)
    }

    static func addRow(_ file: String, _ row: String, command: String?) -> Change {
        Change(text: command ?? "write into \(file): \(row)", action: .addRow(file: file, row: row, command: command))
    }

    static func wait(until time: UnixTime) -> Change { Change(text: "wait until \(time)", action: .wait(until: time)) }

    static func logIn(_ why: String) -> Change { Change(text: "log in again (opk login): \(why)", action: .logIn) }

    static func edit(_ file: String, line: Int? = nil, _ what: String) -> Change {
        Change(text: "edit \(file)\(line.map { ", line \($0)" } ?? ""): \(what)", action: .edit(file: file, line: line))
    }

    static func atProvider(_ what: String) -> Change { Change(text: what, action: .atProvider) }
}

extension Change {
    /// With a member `kind` that is stable.
    public var json: JSON {
        var object = JSONObject()
        func set(_ name: Text, _ value: String?) { if let value { object[name] = .string(Text(value)) } }
        func set(_ name: Text, _ value: Int?) { if let value { object[name] = .number(JSONNumber(Int64(value))) } }
        switch action {
        case .addRow(let file, let row, let command):
            set("kind", "add-row")
            set("file", file)
            set("row", row)
            set("command", command)
        case .replaceLine(let file, let line, let row):
            set("kind", "replace-line")
            set("file", file)
            set("line", line)
            set("row", row)
        case .removeLine(let file, let line, let command):
            set("kind", "remove-line")
            set("file", file)
            set("line", line)
            set("command", command)
        case .edit(let file, let line):
            set("kind", "edit")
            set("file", file)
            set("line", line)
        case .wait(let time):
            set("kind", "wait")
            set("until", "\(time)")
        case .logIn: set("kind", "log-in")
        case .atProvider: set("kind", "at-provider")
        case .comeFrom: set("kind", "come-from")
        case .command(let command):
            set("kind", "command")
            set("command", command)
        }
        set("text", text)
        return .object(object)
    }
}
