#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One line, without its line feed.
public struct ScannedLine: Sendable {
    /// Counted from 1.
    public let number: Int
    /// Without the byte order mark of the first line and without a carriage return at the end.
    public let bytes: ArraySlice<UInt8>
    /// False if the line was longer than the splitter's bound: then `bytes` is only its beginning.
    public let isWhole: Bool
}

/// Cuts text into lines as it arrives in chunks of any size. Holds at most one line, and of that at most `longest` bytes.
public struct LineSplitter {
    /// 64 KiB: a longer line is nobody's row.
    public static let longest = 64 << 10

    private let longest: Int
    private let firstWord: FirstWord?
    /// The beginning of a line whose end has not arrived.
    private var begun: [UInt8] = []
    private var isCut = false
    private var number = 1

    /// - Parameter firstWord: lines that cannot begin with it are counted and passed over.
    public init(longest: Int = LineSplitter.longest, beginningWith firstWord: FirstWord? = nil) {
        self.longest = longest
        self.firstWord = firstWord
    }

    public mutating func feed(_ chunk: ArraySlice<UInt8>, _ body: (ScannedLine) -> Void) {
        var start = chunk.startIndex
        let bytes = chunk.span
        while let length = bytes.extracting((start - chunk.startIndex)...).offset(of: UInt8(ascii: "\n")) {
            let line = start..<(start + length)
            start = line.upperBound + 1
            if !begun.isEmpty || length > longest {
                keep(chunk[line])
                deliverBegun(body)
            } else if isWanted(bytes.extracting((line.lowerBound - chunk.startIndex)..<(line.upperBound - chunk.startIndex))) {
                deliver(chunk[line], isWhole: true, body)
            } else {
                number += 1
            }
        }
        keep(chunk[start...])
    }

    /// Delivers a last line that has no line feed.
    public mutating func finish(_ body: (ScannedLine) -> Void) {
        if !begun.isEmpty { deliverBegun(body) }
        begun = []
        isCut = false
    }

    /// The lines of a whole text.
    public static func eachLine(of text: [UInt8], beginningWith firstWord: FirstWord? = nil, _ body: (ScannedLine) -> Void) {
        var splitter = LineSplitter(beginningWith: firstWord)
        splitter.feed(text[...], body)
        splitter.finish(body)
    }

    private mutating func keep(_ part: ArraySlice<UInt8>) {
        let room = longest - begun.count
        begun.append(contentsOf: part.prefix(room))
        if part.count > room { isCut = true }
    }

    private mutating func deliverBegun(_ body: (ScannedLine) -> Void) {
        if isWanted(begun.span) { deliver(begun[...], isWhole: !isCut, body) } else { number += 1 }
        begun.removeAll(keepingCapacity: true)
        isCut = false
    }

    /// Whether a line, still as it came, can be one that was asked for. What `deliver` takes off is no part of a word.
    private func isWanted(_ line: Span<UInt8>) -> Bool {
        guard let firstWord else { return true }
        var line = line
        if number == 1 && line.beginsWithMark { line = line.extracting(droppingFirst: 3) }
        if !isCut && !line.isEmpty && line[line.count - 1] == UInt8(ascii: "\r") { line = line.extracting(droppingLast: 1) }
        return firstWord.mayBegin(line)
    }

    private mutating func deliver(_ line: ArraySlice<UInt8>, isWhole: Bool, _ body: (ScannedLine) -> Void) {
        var line = line
        if number == 1 && line.span.beginsWithMark { line = line.dropFirst(3) }
        if isWhole && line.last == UInt8(ascii: "\r") { line = line.dropLast() }
        body(ScannedLine(number: number, bytes: line, isWhole: isWhole))
        number += 1
    }
}

extension Span<UInt8> {
    /// UTF-8's byte order mark.
    var beginsWithMark: Bool { count >= 3 && self[0] == 0xEF && self[1] == 0xBB && self[2] == 0xBF }

    /// Where `byte` stands first. memchr: files of a million rows are looked through on every login.
    func offset(of byte: UInt8) -> Int? {
        // The pointer found lies inside the buffer, which is not kept.
        unsafe withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress, let found = unsafe memchr(base, Int32(byte), buffer.count) else { return nil }
            return unsafe UnsafeRawPointer(found) - base
        }
    }
}
