// What other people wrote, made safe for a log line or a terminal (V67, C35, CWE-117).

extension Text {
    /// Printable on one line: control characters, the characters that turn the direction of writing, separators and other
    /// invisible ones come out as `\u{…}`, a backslash as `\\`, a quote as `\"`.
    public var escaped: String { escaped(limit: .max) }

    /// The same, cut after `limit` characters and then ended with `…`.
    public func escaped(limit: Int) -> String { printable(limit: limit, quotes: true) }

    /// For a sentence that whoever wrote it has escaped already, and who may yet be hostile: quotes and backslashes stay as they are.
    public func escapedOnce(limit: Int) -> String { printable(limit: limit, quotes: false) }

    private func printable(limit: Int, quotes: Bool) -> String {
        var out = ""
        var written = 0
        for scalar in string.unicodeScalars {
            if written == limit {
                out += "…"
                break
            }
            written += 1
            switch scalar {
            case "\\" where quotes: out += "\\\\"
            case "\"" where quotes: out += "\\\""
            case _ where isHarmless(scalar): out.unicodeScalars.append(scalar)
            default: out += "\\u{" + String(scalar.value, radix: 16) + "}"
            }
        }
        return out
    }
}

/// Bytes of any kind, as text for a log line: what is not UTF-8 comes out as U+FFFD.
public func escaped(_ bytes: some Sequence<UInt8>, limit: Int = .max) -> String {
    Text(String(decoding: Array(bytes), as: UTF8.self)).escaped(limit: limit)
}

/// Whether a character can be printed as it is, whoever wrote it.
public func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x80 { return scalar.value >= 0x20 && scalar.value != 0x7F }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: return false
    case .spaceSeparator: return false
    default: return true
    }
}
