public import AuditTrail
import JOSE
public import Vocabulary

/// An event that was read: a copy of its line, and where its values stand. What is in it is hostile text of whoever could write to the log or was written
/// about in it; it is escaped before it is shown.
public struct AuditRecord: Sendable {
    public let kind: AuditKind
    public let time: UnixTime
    /// The line, without its line feed.
    public let line: [UInt8]
    /// The fields that there are: a bit for each, by its index.
    let found: UInt64
    /// Of the fields that there are, in their order: where the value begins and, in the upper half, ends. A line is shorter than 64 KiB.
    private let places: [UInt32]

    /// One line alone; nil where it is no event.
    public init?(_ line: [UInt8]) {
        var scanner = EventScanner()
        let padded = line + [UInt8](repeating: 0, count: EventScanner.margin)
        guard scanner.scan(padded.span, 0..<line.count) else { return nil }
        self.init(scanner, padded.span, 0..<line.count)
    }

    /// Of the line that was scanned last.
    init?(_ scanner: EventScanner, _ bytes: Span<UInt8>, _ line: Range<Int>) {
        let text = bytes.copy((line.lowerBound + EventTime.offset)..<(line.lowerBound + EventTime.offset + EventTime.length))
        guard EventTime.hasPlace(bytes, line), let text = Text(validating: text), let time = UnixTime(rfc3339: text) else { return nil }
        (self.time, kind, found) = (time, scanner.kind, scanner.found)
        self.line = bytes.copy(line)
        var places: [UInt32] = []
        places.reserveCapacity(found.nonzeroBitCount)
        var left = found
        while left != 0 {
            let index = left.trailingZeroBitCount
            left &= left - 1
            guard let range = scanner.range(index) else { return nil }
            let (start, end) = (range.lowerBound - line.lowerBound, range.upperBound - line.lowerBound)
            places.append(UInt32(truncatingIfNeeded: start) | UInt32(truncatingIfNeeded: end) << 16)
        }
        self.places = places
    }

    /// A field's value as the line has it: JSON, and of a text what stands between its quotes.
    func written(_ field: AuditField) -> ArraySlice<UInt8>? {
        let bit = UInt64(1) << UInt64(field.index)
        guard found & bit != 0 else { return nil }
        let place = places[(found & (bit - 1)).nonzeroBitCount]
        return line[Int(place & 0xFFFF)..<Int(place >> 16)]
    }

    public func has(_ field: AuditField) -> Bool { written(field) != nil }

    public func text(_ field: AuditField) -> String? {
        guard EventShape(field) == .text, let bytes = written(field) else { return nil }
        if !bytes.contains(UInt8(ascii: "\\")) { return String(decoding: bytes, as: UTF8.self) }
        return (try? JSON(parsing: [UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")]))?.string?.string
    }

    public func number(_ field: AuditField) -> Int64? {
        guard EventShape(field) == .number else { return nil }
        return written(field).flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
    }

    public func flag(_ field: AuditField) -> Bool? {
        guard EventShape(field) == .flag else { return nil }
        return written(field).map { $0.first == UInt8(ascii: "t") }
    }

    /// A member that is a time.
    public func moment(_ field: AuditField) -> UnixTime? { text(field).flatMap { UnixTime(rfc3339: Text($0)) } }

    /// The texts of a list; what is in it and no text is left out.
    public func texts(_ field: AuditField) -> [String] { list(field).compactMap { $0.string?.string } }

    /// The objects of a list.
    public func objects(_ field: AuditField) -> [AuditDetail] { list(field).compactMap { $0.object.map(AuditDetail.init) } }

    /// A member that is an object.
    public func object(_ field: AuditField) -> AuditDetail? {
        guard EventShape(field) == .object else { return nil }
        return written(field).flatMap { (try? JSONObject(parsing: Array($0))).map(AuditDetail.init) }
    }

    private func list(_ field: AuditField) -> [JSON] {
        guard EventShape(field) == .list, let bytes = written(field) else { return [] }
        return (try? JSON(parsing: Array(bytes)))?.array ?? []
    }
}

/// An object inside an event: who did something, what decided, what was changed.
public struct AuditDetail: Sendable {
    let object: JSONObject

    public func text(_ field: AuditField) -> String? { object[Text(field.rawValue)]?.string?.string }
    public func number(_ field: AuditField) -> Int64? { object[Text(field.rawValue)]?.number?.integer }
    public func texts(_ field: AuditField) -> [String] { (object[Text(field.rawValue)]?.array ?? []).compactMap { $0.string?.string } }
}
