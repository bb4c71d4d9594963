import AuditReading

/// Bytes of the log go in, piece by piece; its events come out.
struct EventLines {
    /// Bytes that were taken, and where the last whole line among them ends.
    private(set) var place: Int64
    private(set) var end: Int64
    /// Lines that are no events.
    private(set) var torn = 0
    private var line: [UInt8] = []

    /// Bytes of a line that are kept; a longer one is no event.
    private static let longest = 64 << 10

    /// - Parameter start: where the first byte stands in its file.
    init(from start: Int64 = 0) { (place, end) = (start, start) }

    mutating func take(_ piece: ArraySlice<UInt8>, _ body: (AuditRecord) -> Void) {
        var rest = piece
        while let feed = rest.firstIndex(of: 0x0A) {
            line += rest[..<feed]
            end = place + Int64(feed - piece.startIndex) + 1
            finish(body)
            rest = rest[(feed + 1)...]
        }
        if line.count <= EventLines.longest { line += rest }
        place += Int64(piece.count)
    }

    private mutating func finish(_ body: (AuditRecord) -> Void) {
        defer { line.removeAll(keepingCapacity: true) }
        if line.isEmpty { return }
        guard line.count <= EventLines.longest, let record = AuditRecord(line) else {
            torn += 1
            return
        }
        body(record)
    }
}
