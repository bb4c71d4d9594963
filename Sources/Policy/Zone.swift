internal import CSystem
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A zone of the system's tz database (RFC 9636), by its name: `Europe/Berlin`.
struct Zone: Hashable, Sendable {
    let name: Text

    static let utc = Zone(known: "UTC")

    private static let folder = "/usr/share/zoneinfo/"

    /// Checked that it is there, since the system takes a zone that it does not know for UTC, without a word.
    init(_ name: Text) throws(RowFault) {
        guard Zone.isName(name) else { throw RowFault("\(name.escaped(limit: 80)) is not the name of a time zone") }
        guard name == "UTC" || Zone.hasFile(name) else { throw RowFault("this system has no time zone \(name)") }
        self.name = name
    }

    /// For a name that has been found good.
    init(known name: Text) { self.name = name }

    /// By how many seconds local time is ahead of UTC at these points in time; nil where the system does not say.
    func offsets(from first: Int64, step: Int64, count: Int) -> [Int32]? {
        if name == "UTC" { return [Int32](repeating: 0, count: count) }
        var offsets = [Int32](repeating: 0, count: count)
        // The system writes `count` numbers, as many as there is room for.
        let status = unsafe opk_zone_offsets(Zone.folder + name.string, first, step, &offsets, count)
        return status == 0 ? offsets : nil
    }

    func offset(at time: Int64) -> Int64? { offsets(from: time, step: 1, count: 1).map { Int64($0[0]) } }

    /// Parts of letters, digits, `_`, `+` and `-` with a `/` between, at most 64 bytes: a relative path that leads nowhere else.
    private static func isName(_ name: Text) -> Bool {
        guard (1...64).contains(name.count) else { return false }
        var previous = UInt8(ascii: "/")
        for byte in name.utf8 {
            let isLetter = byte >= 0x41 && (0x61...0x7A).contains(byte | 0x20)
            let isOther = (0x30...0x39).contains(byte) || byte == 0x5F || byte == 0x2B || byte == 0x2D
            guard isLetter || isOther || byte == UInt8(ascii: "/") && previous != byte else { return false }
            previous = byte
        }
        return previous != UInt8(ascii: "/")
    }

    /// Links are followed: the database has many. A file that is not whole is none: the system would take it for UTC.
    private static func hasFile(_ name: Text) -> Bool {
        // Names in that folder that are no zones, and zones that count leap seconds, which no clock here does.
        if name == "localtime" || name == "posixrules" || name.hasPrefix("right/") { return false }
        let file = unsafe opk_open(folder + name.string, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0)
        guard file >= 0 else { return false }
        defer { _ = close(file) }
        var facts = stat()
        // The largest of the database has 4 KiB.
        var bytes = [UInt8](repeating: 0, count: 32 << 10)
        // Both are as large as the system is told.
        guard unsafe fstat(file, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { return false }
        let count = unsafe read(file, &bytes, bytes.count)
        return count > 0 && count < bytes.count && ZoneFile.isWhole(bytes[..<count])
    }
}
