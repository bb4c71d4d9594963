/// The form of a file of the tz database (RFC 9636 section 3): whether all is there that its headers announce.
enum ZoneFile {
    private static let headerLength = 44
    private static let magic = Array("TZif".utf8)

    static func isWhole(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let (version, first) = block(bytes, timeLength: 4) else { return false }
        // Version 1 ends there.
        if version == 0 { return first.isEmpty }
        guard version >= UInt8(ascii: "2"), let (again, footer) = block(first, timeLength: 8), again == version else { return false }
        // A rule for the times after the last change, between line feeds; it may be empty.
        let rule = footer.dropFirst().dropLast()
        return footer.count >= 2 && footer.first == 0x0A && footer.last == 0x0A && rule.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    /// One header and what it announces; the version and the rest.
    private static func block(_ bytes: ArraySlice<UInt8>, timeLength: Int) -> (version: UInt8, rest: ArraySlice<UInt8>)? {
        guard bytes.count >= headerLength, bytes.prefix(4).elementsEqual(magic) else { return nil }
        func count(_ index: Int) -> Int {
            bytes.dropFirst(20 + 4 * index).prefix(4).reduce(0) { $0 << 8 | Int($1) }
        }
        let (utc, standard, leaps, times, types, characters) = (count(0), count(1), count(2), count(3), count(4), count(5))
        guard types > 0, characters > 0 else { return nil }
        let length = times * (timeLength + 1) + types * 6 + characters + leaps * (timeLength + 4) + standard + utc
        guard length <= bytes.count - headerLength else { return nil }
        return (bytes[bytes.startIndex + 4], bytes.dropFirst(headerLength + length))
    }
}
