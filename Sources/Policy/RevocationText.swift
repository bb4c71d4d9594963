public import Vocabulary

extension Revocation: CustomStringConvertible {
    /// The row as the file has it, without a line feed: quoted where it must be, two blanks before the time. Read again, it is the same.
    public var written: Text {
        let first = Revocation.quoted(what.word).string
        return Text(before.map { first + "  " + Revocation.rfc3339($0) } ?? first)
    }

    /// The same for a message: characters that cannot be seen are escaped.
    public var description: String { written.escapedOnce(limit: .max) }

    /// In UTC, with as much of a fraction as there is.
    private static func rfc3339(_ time: UnixTime) -> String {
        if time.nanoseconds == 0 { return time.description }
        let digits = String(1_000_000_000 + Int(time.nanoseconds)).utf8.dropFirst()
        let end = digits.lastIndex { $0 != UInt8(ascii: "0") } ?? digits.startIndex
        return time.description.dropLast() + "." + String(decoding: digits[...end], as: UTF8.self) + "Z"
    }

    /// A word as a shell would have it quoted: not at all, between single quotes, or between double quotes where it has a single one.
    private static func quoted(_ word: Text) -> Text {
        let special = Array(" '\"\\#".utf8)
        guard word.utf8.contains(where: special.contains) else { return word }
        guard word.contains(UInt8(ascii: "'")) else { return Text("'" + word.string + "'") }
        let escaped = Array("$`\"\\".utf8)
        var out: [UInt8] = [UInt8(ascii: "\"")]
        for byte in word.utf8 {
            if escaped.contains(byte) { out.append(UInt8(ascii: "\\")) }
            out.append(byte)
        }
        return Text(String(decoding: out + [UInt8(ascii: "\"")], as: UTF8.self))
    }
}
