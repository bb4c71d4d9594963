import Display
import Vocabulary

/// How explanations write times and words.
enum Words {
    /// `2026-11-24T08:00:00Z (3 h ago)`.
    static func when(_ time: UnixTime, _ now: UnixTime) -> String {
        // Beyond what a date can say.
        guard time <= .endOfYear9999, time.seconds >= 0 else { return "a time beyond the year 9999" }
        return "\(time) (\(RelativeTime.text(time, from: now)))"
    }

    /// The first eight.
    static func list(_ texts: [Text]) -> String {
        texts.prefix(8).map { $0.escaped(limit: 64) }.joined(separator: ", ") + (texts.count > 8 ? " … (\(texts.count))" : "")
    }

    /// A word of a shell's command line, which is at the same time a column of a policy file: as it is, or in quotes.
    static func quoted(_ word: Text) -> String {
        let plain = word.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || Array("@%+=:,./_-".utf8).contains(byte)
        }
        if plain && !word.isEmpty { return word.string }
        guard word.contains(UInt8(ascii: "'")) else { return "'" + word.string + "'" }
        let special = Array("$`\"\\".utf8)
        var out: [UInt8] = [UInt8(ascii: "\"")]
        for byte in word.utf8 {
            if special.contains(byte) { out.append(UInt8(ascii: "\\")) }
            out.append(byte)
        }
        return String(decoding: out + [UInt8(ascii: "\"")], as: UTF8.self)
    }

    /// `YYYY-MM-DDTHH:MMZ`, as options take it.
    static func minute(_ time: UnixTime) -> String { String(time.description.prefix(16)) + "Z" }

    static func count(_ number: Int, _ one: String, _ many: String) -> String { "\(number) \(number == 1 ? one : many)" }
}
