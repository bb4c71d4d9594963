/// Sets of ASCII bytes, a bit for each: one look and no branch for each of some million bytes.
struct PlainBytes {
    private let lower: UInt64
    private let upper: UInt64

    /// From ! to ~ without quotes, backslash, # and *: each stands for itself in a line, and in an email.
    static let word = PlainBytes(lower: 0xFFFF_FB72_0000_0000, upper: 0x7FFF_FFFF_EFFF_FFFF)
    /// A to Z, a to z, 0 to 9, + and /.
    static let base64 = PlainBytes(lower: 0x03FF_8800_0000_0000, upper: 0x07FF_FFFE_07FF_FFFE)
    /// Those of base64 whose value is divisible by 4: A E I M Q U Y c g k o s w 0 4 8.
    static let lastOfDigest = PlainBytes(lower: 0x0111_0000_0000_0000, upper: 0x0088_8888_0222_2222)
    /// A to Z, a to z, 0 to 9, - . and _.
    static let host = PlainBytes(lower: 0x03FF_6000_0000_0000, upper: 0x07FF_FFFE_87FF_FFFE)
    /// From space to ~, and the tab.
    static let comment = PlainBytes(lower: 0xFFFF_FFFF_0000_0200, upper: 0x7FFF_FFFF_FFFF_FFFF)

    private init(lower: UInt64, upper: UInt64) { (self.lower, self.upper) = (lower, upper) }

    func has(_ byte: UInt8) -> Bool {
        let half = byte & 0x40 == 0 ? lower : upper
        return half &>> UInt64(byte & 0x3F) & (byte < 0x80 ? 1 : 0) == 1
    }

    /// Whether the text, ASCII, stands there.
    static func begins(_ line: Span<UInt8>, _ start: Int, _ text: StaticString) -> Bool {
        guard line.count - start >= text.utf8CodeUnitCount else { return false }
        // The literal's bytes, within its length.
        let bytes = unsafe UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        for index in 0..<text.utf8CodeUnitCount where unsafe line[start + index] != bytes[index] { return false }
        return true
    }
}

/// An issuer as most are: https, a host without a port, and a path of which no segment begins with a full stop. IssuerURL takes all of these
/// and more.
enum PlainIssuer {
    static func isGood(_ word: Span<UInt8>, from start: Int) -> Bool {
        guard PlainBytes.begins(word, start, "https://") else { return false }
        var position = start + 8
        let host = position
        while position < word.count && PlainBytes.host.has(word[position]) { position += 1 }
        guard position > host, word[host] != UInt8(ascii: ".") else { return false }
        while position < word.count {
            let byte = word[position]
            if byte == UInt8(ascii: "/") {
                if position + 1 < word.count && word[position + 1] == UInt8(ascii: ".") { return false }
            } else if !PlainBytes.host.has(byte) || position == host {
                return false
            }
            position += 1
        }
        return true
    }
}

/// What is behind a row's first word, as it mostly is: nothing, blanks, a time in UTC, a comment.
enum PlainEnding {
    /// Whether the line, all of which before `start` is plain, ends well.
    static func isGood(_ line: Span<UInt8>, from start: Int) -> Bool {
        var position = blanksEnd(line, start)
        if position == line.count { return true }
        // Without a blank before it, only at the start of a line: what else stands here cannot be in a word, or is somewhere else's matter.
        guard position > start || start == 0 else { return false }
        if line[position] == UInt8(ascii: "#") { return isComment(line, position) }
        guard start > 0 else { return false }
        position = timeEnd(line, position)
        if position == line.count { return true }
        guard position > 0, isBlank(line[position]) else { return false }
        position = blanksEnd(line, position)
        return position == line.count || line[position] == UInt8(ascii: "#") && isComment(line, position)
    }

    private static func blanksEnd(_ line: Span<UInt8>, _ start: Int) -> Int {
        var position = start
        while position < line.count && isBlank(line[position]) { position += 1 }
        return position
    }

    private static func isComment(_ line: Span<UInt8>, _ start: Int) -> Bool {
        for index in start..<line.count where !PlainBytes.comment.has(line[index]) { return false }
        return true
    }

    /// Where a time ends that is written YYYY-MM-DDTHH:MM[:SS]Z and lies between 1971 and 9999; 0 for everything else.
    private static func timeEnd(_ line: Span<UInt8>, _ start: Int) -> Int {
        guard line.count - start >= 17, line[start + 4] == UInt8(ascii: "-"), line[start + 7] == UInt8(ascii: "-"),
            line[start + 10] == UInt8(ascii: "T"), line[start + 13] == UInt8(ascii: ":")
        else { return 0 }
        let year = twoDigits(line, start) * 100 + twoDigits(line, start + 2)
        let month = twoDigits(line, start + 5)
        let day = twoDigits(line, start + 8)
        // A number that is none is so low that its sum is.
        guard (1971...9999).contains(year), (1...12).contains(month), day >= 1, day <= lastDay(month),
            (0...23).contains(twoDigits(line, start + 11)), (0...59).contains(twoDigits(line, start + 14))
        else { return 0 }
        var position = start + 16
        if line[position] == UInt8(ascii: ":") {
            guard line.count - position >= 4, (0...59).contains(twoDigits(line, position + 1)) else { return 0 }
            position += 3
        }
        return line[position] == UInt8(ascii: "Z") ? position + 1 : 0
    }

    /// 28 in every February: the 29th is for the parser.
    private static func lastDay(_ month: Int) -> Int {
        switch month {
        case 2: 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Below -100,000 where one of them is no digit.
    private static func twoDigits(_ line: Span<UInt8>, _ start: Int) -> Int {
        let tens = line[start] &- 0x30
        let ones = line[start + 1] &- 0x30
        return tens <= 9 && ones <= 9 ? Int(tens) * 10 + Int(ones) : -1_000_000
    }
}
