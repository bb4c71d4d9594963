public import JOSE
import Vocabulary

extension JSON {
    /// For a person or a script: two spaces a level, members in their own order, every string with all that a terminal could obey as
    /// `\u` escapes. Still JSON.
    public func pretty(indent: Int = 0) -> String {
        let inner = String(repeating: "  ", count: indent + 1)
        let outer = String(repeating: "  ", count: indent)
        switch self {
        case .null: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .number(let number): return number.text.string
        case .string(let text): return JSON.quoted(text)
        case .array(let elements):
            if elements.isEmpty { return "[]" }
            return "[\n" + elements.map { inner + $0.pretty(indent: indent + 1) }.joined(separator: ",\n") + "\n\(outer)]"
        case .object(let object):
            if object.members.isEmpty { return "{}" }
            let members = object.members.map { inner + JSON.quoted($0.name) + ": " + $0.value.pretty(indent: indent + 1) }
            return "{\n" + members.joined(separator: ",\n") + "\n\(outer)}"
        }
    }

    private static func quoted(_ text: Text) -> String {
        var out = "\""
        for scalar in text.string.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            default:
                // The vocabulary decides what is harmless; what is not is written as UTF-16, as JSON has it.
                let one = Text(String(String.UnicodeScalarView([scalar])))
                if Text(one.escaped) == one {
                    out.unicodeScalars.append(scalar)
                } else {
                    for unit in String(String.UnicodeScalarView([scalar])).utf16 {
                        let digits = String(unit, radix: 16)
                        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                    }
                }
            }
        }
        return out + "\""
    }
}
