#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A line of the log and its fields in the form that journald takes (systemd's "Native Journal Protocol"): `NAME=VALUE` and a line break; or, for a value that has
/// one itself, the name, a line break, the value's length in eight bytes, the lowest first, the value, and a line break. journald hands the line on to syslog.
struct JournalMessage {
    typealias Field = (name: String, value: String)

    private(set) var bytes: [UInt8] = []

    /// Characters of a value.
    private static let longestValue = 512

    /// Whether journald runs here.
    static var hasJournal: Bool { unsafe access("/run/systemd/journal/socket", F_OK) == 0 }

    init(_ line: String, _ severity: Int32, _ fields: [Field]) {
        add("MESSAGE", Array(line.utf8))
        add("PRIORITY", Array(String(severity).utf8))
        // LOG_AUTH, which is where sshd's own lines go.
        add("SYSLOG_FACILITY", Array(String(LOG_AUTH >> 3).utf8))
        add("SYSLOG_IDENTIFIER", Array("opk-verify".utf8))
        add("SYSLOG_PID", Array(String(getpid()).utf8))
        for field in fields {
            var value: [UInt8] = []
            var count = 0
            for scalar in field.value.unicodeScalars {
                if count == JournalMessage.longestValue { break }
                count += 1
                value += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            }
            add(field.name, value)
        }
    }

    private mutating func add(_ name: String, _ value: [UInt8]) {
        bytes += name.utf8
        if value.contains(0x0A) {
            bytes.append(0x0A)
            for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value.count >> (8 * shift))) }
        } else {
            bytes.append(UInt8(ascii: "="))
        }
        bytes += value
        bytes.append(0x0A)
    }
}
