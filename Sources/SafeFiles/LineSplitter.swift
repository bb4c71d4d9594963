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
    /// The beginning of a line whose end has not arrived.
    private var begun: [UInt8] = []
    private var isCut = false
    private var number = 1

    public init(longest: Int = LineSplitter.longest) {
        self.longest = longest
    }

    public mutating func feed(_ chunk: ArraySlice<UInt8>, _ body: (ScannedLine) -> Void) {
        var rest = chunk
        while let end = firstIndex(of: UInt8(ascii: "\n"), in: rest) {
            let line = rest[..<end]
            rest = rest[(end + 1)...]
            if begun.isEmpty && line.count <= longest {
                deliver(line, isWhole: true, body)
            } else {
                keep(line)
                deliver(begun[...], isWhole: !isCut, body)
                begun.removeAll(keepingCapacity: true)
                isCut = false
            }
        }
        keep(rest)
    }

    /// Delivers a last line that has no line feed.
    public mutating func finish(_ body: (ScannedLine) -> Void) {
        if !begun.isEmpty { deliver(begun[...], isWhole: !isCut, body) }
        begun = []
        isCut = false
    }

    /// The lines of a whole text.
    public static func eachLine(of text: [UInt8], _ body: (ScannedLine) -> Void) {
        var splitter = LineSplitter()
        splitter.feed(text[...], body)
        splitter.finish(body)
    }

    private mutating func keep(_ part: ArraySlice<UInt8>) {
        let room = longest - begun.count
        begun.append(contentsOf: part.prefix(room))
        if part.count > room { isCut = true }
    }

    private mutating func deliver(_ line: ArraySlice<UInt8>, isWhole: Bool, _ body: (ScannedLine) -> Void) {
        var line = line
        if number == 1 && line.starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
        if isWhole && line.last == UInt8(ascii: "\r") { line = line.dropLast() }
        body(ScannedLine(number: number, bytes: line, isWhole: isWhole))
        number += 1
    }
}

/// memchr: files of a million rows are looked through on every login.
func firstIndex(of byte: UInt8, in bytes: ArraySlice<UInt8>) -> Int? {
    // The pointer found lies inside the buffer, which is not kept.
    let offset: Int? = unsafe bytes.withUnsafeBytes { buffer in
        guard let base = buffer.baseAddress, let found = unsafe memchr(base, Int32(byte), buffer.count) else { return nil }
        return unsafe UnsafeRawPointer(found) - base
    }
    return offset.map { bytes.startIndex + $0 }
}
