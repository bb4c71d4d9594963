/// The parts of a row of `revoked` as most people write them, told by their bytes. Whatever is found good here the parser takes, too; what is
/// not need not be bad.
enum PlainRow {
    /// How many bytes at the start of a line stand for themselves and are no blank; 0 for a line that is shorter than any row.
    static func wordEnd(_ line: Span<UInt8>) -> Int {
        guard line.count >= 8 else { return 0 }
        var position = 0
        while position <= line.count - 8 {
            let special = EightBytes(line, position).special
            if special != 0 { return position + special.trailingZeroBitCount >> 3 }
            position += 8
        }
        // Those of the last eight that have been looked at before are not special.
        let special = EightBytes(line, line.count - 8).special
        return special == 0 ? line.count : line.count - 8 + special.trailingZeroBitCount >> 3
    }

    /// An `@` with something before and behind it, from `start` on.
    static func isEmail(_ word: Span<UInt8>, from start: Int) -> Bool {
        let at = lastAt(word)
        return at > start && at < word.count - 1
    }

    /// SUBJECT@ISSUER, from `start` on.
    static func isSubject(_ word: Span<UInt8>, from start: Int) -> Bool {
        let at = lastAt(word)
        return at > start && isIssuer(word, from: at + 1)
    }

    /// 0 where there is none. The word is ASCII and has eight bytes or more.
    private static func lastAt(_ word: Span<UInt8>) -> Int {
        var position = word.count - 8
        while true {
            let found = EightBytes(word, position).ats
            if found != 0 { return position + 7 - found.leadingZeroBitCount >> 3 }
            if position == 0 { return 0 }
            position = max(0, position - 8)
        }
    }

    /// https, a host of six bytes or more without a port, perhaps a path, of which no segment begins with a full stop. The word is ASCII.
    static func isIssuer(_ word: Span<UInt8>, from start: Int) -> Bool {
        let end = word.count - 8
        guard end >= start + 6, EightBytes(word, start).begin(8, EightBytes.https), word[start + 8] != UInt8(ascii: "/") else {
            return false
        }
        // From the last slash of https:// on. Each eight have a byte in common with the next: no slash is parted from its full stop.
        var position = start + 7
        while position < end {
            if !isIssuerPart(EightBytes(word, position)) { return false }
            position += 7
        }
        return isIssuerPart(EightBytes(word, end))
    }

    private static func isIssuerPart(_ part: EightBytes) -> Bool {
        part.pathCharacters == EightBytes.high && part.slashDots == 0
    }

    /// 43 characters of base64, of which the last stands for four bits and two that are 0. The word is ASCII.
    static func isDigest(_ word: Span<UInt8>, from start: Int) -> Bool {
        guard word.count - start == 43, isDigestEnd(word[start + 42]) else { return false }
        for position in [0, 8, 16, 24, 32] where EightBytes(word, start + position).base64 != EightBytes.high { return false }
        return EightBytes(word, start + 35).base64 == EightBytes.high
    }

    /// A E I M Q U Y c g k o s w 0 4 8.
    private static func isDigestEnd(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x41...0x59: byte & 3 == 1
        case 0x63...0x77: byte & 3 == 3
        case 0x30...0x38: byte & 3 == 0
        default: false
        }
    }
}
