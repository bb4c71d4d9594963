/// What is behind a row's first word, as it mostly is: nothing, blanks, a time in UTC, a comment.
enum PlainEnding {
    /// Whether the line, all of which before `start` is plain, ends well.
    static func isGood(_ line: Span<UInt8>, from start: Int) -> Bool {
        var position = blanksEnd(line, start)
        if position == line.count { return true }
        // What follows a word without a blank is a quote, a # inside it, or worse.
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
        for index in start..<line.count {
            let byte = line[index]
            if !(0x20...0x7E).contains(byte) && byte != 0x09 { return false }
        }
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
