import AuditTrail
import Vocabulary

/// Takes lines apart, one after the other, without copying a byte of them: which members there are and where their values stand.
///
/// A line is an event if it is one JSON object as `AuditEvent` writes it: no white space between its parts, `v` and `time` first, no member twice, each known
/// member of its type, nothing null, valid UTF-8, at most `AuditEvent.longestLine` bytes. Members that this version does not know are passed over. Everything
/// else is *torn or foreign*: counted, and never shown.
///
/// Lines lie in a buffer of which at least `EventScanner.margin` bytes behind each line are readable, whatever is in them.
struct EventScanner {
    /// Bytes behind a line.
    static let margin = 32

    /// Of the line that was scanned last: a bit for each field that it has.
    private(set) var found: UInt64 = 0
    private(set) var kind = AuditKind.decision
    /// Where the values stand, by field: a text without its quotes.
    private var places = [Place](repeating: Place(start: 0, end: 0), count: 64)
    /// Behind each field, at its index + 1, the field that came next when it was there last; behind none at 0. Events of one type have the same members in the
    /// same order, so this is mostly the one that is there.
    private var followers = [UInt8](repeating: 0, count: 65)
    /// 1 + the index of the field that was found last.
    private var previous = 0
    private var position = 0
    private var end = 0
    private var hasForeignBytes = false

    private let fields = EventFields()
    private let kinds = AuditKind.allCases.map { ($0, EventWords($0.rawValue)) }
    private let typeIndex = AuditField.type.index
    private let timeIndex = AuditField.time.index
    private let idIndex = AuditField.id.index

    /// Where the value of a field of the last line stands, by the field's index; nil where it has none.
    func range(_ index: Int) -> Range<Int>? {
        if found & (1 &<< UInt64(index)) == 0 { return nil }
        let place = places[index]
        return Int(place.start)..<Int(place.end)
    }

    /// Offsets in the buffer, which is shorter than 4 GiB.
    private struct Place {
        var start: UInt32
        var end: UInt32
    }

    /// Whether the line, without its line feed, is an event.
    mutating func scan(_ bytes: Span<UInt8>, _ line: Range<Int>) -> Bool {
        guard EventTime.hasPlace(bytes, line), line.count < AuditEvent.longestLine, line.upperBound + EventScanner.margin <= bytes.count
        else {
            return false
        }
        (position, end, found, hasForeignBytes, previous) = (line.lowerBound + 1, line.upperBound, 0, false, 0)
        while true {
            guard member(bytes), position < end else { return false }
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "}") { break }
            guard byte == UInt8(ascii: ",") else { return false }
        }
        guard position == end, range(timeIndex)?.lowerBound == line.lowerBound + EventTime.offset,
            range(timeIndex)?.count == EventTime.length,
            let id = range(idIndex), (1...32).contains(id.count), let type = range(typeIndex), type.count <= EventWords.longest
        else { return false }
        let words = EventWords(bytes, type)
        guard let known = kinds.first(where: { $0.1 == words }) else { return false }
        kind = known.0
        return !hasForeignBytes || Text(validating: bytes.copy(line)) != nil
    }

    private mutating func member(_ bytes: Span<UInt8>) -> Bool {
        guard position < end, bytes[position] == UInt8(ascii: "\"") else { return false }
        let name = position + 1
        var field = Int(followers[previous])
        var isKnown = true
        if let nameEnd = fields.end(of: field, bytes, name), nameEnd + 1 < end {
            position = nameEnd + 2
        } else {
            guard let nameEnd = closing(bytes, name), nameEnd + 1 < end, bytes[nameEnd + 1] == UInt8(ascii: ":") else { return false }
            position = nameEnd + 2
            let index = nameEnd - name <= EventWords.longest ? fields.index(of: EventWords(bytes, name..<nameEnd)) : nil
            isKnown = index != nil
            if let index {
                field = index
                followers[previous] = UInt8(truncatingIfNeeded: index)
            }
        }
        let start = position
        guard let shape = value(bytes, depth: 0) else { return false }
        guard isKnown else { return true }
        guard found & (1 &<< UInt64(field)) == 0, fields.shape(field) == shape else { return false }
        found |= 1 &<< UInt64(field)
        let quote = shape == .text ? 1 : 0
        places[field] = Place(start: UInt32(truncatingIfNeeded: start + quote), end: UInt32(truncatingIfNeeded: position - quote))
        previous = field + 1
        return true
    }

    /// Passes over one value and says of what shape it is; nil for what an event cannot have.
    private mutating func value(_ bytes: Span<UInt8>, depth: Int) -> EventShape? {
        guard position < end else { return nil }
        switch bytes[position] {
        case UInt8(ascii: "\""):
            guard let last = closing(bytes, position + 1) else { return nil }
            position = last + 1
            return .text
        case UInt8(ascii: "t"): return word(bytes, EventScanner.yes, 4)
        case UInt8(ascii: "f"): return word(bytes, EventScanner.no, 5)
        case UInt8(ascii: "["): return list(bytes, depth: depth)
        case UInt8(ascii: "{"): return object(bytes, depth: depth)
        default: return number(bytes)
        }
    }

    private static let yes = EventWords("true").first
    private static let no = EventWords("false").first

    private mutating func word(_ bytes: Span<UInt8>, _ word: UInt64, _ count: Int) -> EventShape? {
        guard position + count <= end, (bytes.eight(at: position) ^ word) &<< UInt64(64 - 8 * count) == 0 else { return nil }
        position += count
        return .flag
    }

    /// An integer of at most 18 digits: an event has no other numbers.
    private mutating func number(_ bytes: Span<UInt8>) -> EventShape? {
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        let start = position
        while position < end, bytes[position] &- UInt8(ascii: "0") < 10 { position += 1 }
        let digits = position - start
        guard (1...18).contains(digits), digits == 1 || bytes[start] != UInt8(ascii: "0") else { return nil }
        return .number
    }

    /// Levels of lists and objects inside a member.
    private static let deepest = 4

    private mutating func list(_ bytes: Span<UInt8>, depth: Int) -> EventShape? {
        guard depth < EventScanner.deepest else { return nil }
        position += 1
        if position < end, bytes[position] == UInt8(ascii: "]") {
            position += 1
            return .list
        }
        while true {
            guard value(bytes, depth: depth + 1) != nil, position < end else { return nil }
            position += 1
            if bytes[position - 1] == UInt8(ascii: "]") { return .list }
            guard bytes[position - 1] == UInt8(ascii: ",") else { return nil }
        }
    }

    private mutating func object(_ bytes: Span<UInt8>, depth: Int) -> EventShape? {
        guard depth < EventScanner.deepest else { return nil }
        position += 1
        if position < end, bytes[position] == UInt8(ascii: "}") {
            position += 1
            return .object
        }
        while true {
            guard position < end, bytes[position] == UInt8(ascii: "\""), let name = closing(bytes, position + 1), name + 1 < end,
                bytes[name + 1] == UInt8(ascii: ":")
            else { return nil }
            position = name + 2
            guard value(bytes, depth: depth + 1) != nil, position < end else { return nil }
            position += 1
            if bytes[position - 1] == UInt8(ascii: "}") { return .object }
            guard bytes[position - 1] == UInt8(ascii: ",") else { return nil }
        }
    }

    private static let each: UInt64 = 0x0101_0101_0101_0101
    private static let high: UInt64 = 0x8080_8080_8080_8080

    /// Where the quote stands that ends the string that begins at `start`: eight bytes at a time.
    private mutating func closing(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
        var offset = start
        while offset < end {
            let word = bytes.eight(at: offset)
            // A byte is marked by its highest bit: a quote, an escape, a control character (what is taken off them borrows), or one that has it. The lowest byte
            // that is marked is one of these; a marked one above it may be a false alarm of the borrow.
            let quotes = (word ^ EventScanner.each &* 0x22) &- EventScanner.each
            let escapes = (word ^ EventScanner.each &* 0x5C) &- EventScanner.each
            let controls = word &- EventScanner.each &* 0x20
            let marked = (quotes | escapes | controls | word) & EventScanner.high
            guard marked != 0 else {
                offset += 8
                continue
            }
            offset += marked.trailingZeroBitCount >> 3
            guard offset < end else { return nil }
            switch bytes[offset] {
            case UInt8(ascii: "\""): return offset
            case UInt8(ascii: "\\"):
                guard let next = escape(bytes, offset) else { return nil }
                offset = next
            case 0x80...: (hasForeignBytes, offset) = (true, offset + 1)
            default: return nil
            }
        }
        return nil
    }

    /// What follows an escape (RFC 8259 section 7); surrogates come in pairs.
    private func escape(_ bytes: Span<UInt8>, _ offset: Int) -> Int? {
        guard offset + 1 < end else { return nil }
        switch bytes[offset + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"),
            UInt8(ascii: "t"):
            return offset + 2
        case UInt8(ascii: "u"):
            guard let unit = hexadecimal(bytes, offset + 2) else { return nil }
            switch unit {
            case 0xD800..<0xDC00:
                guard offset + 8 <= end, bytes[offset + 6] == UInt8(ascii: "\\"), bytes[offset + 7] == UInt8(ascii: "u"),
                    let low = hexadecimal(bytes, offset + 8), (0xDC00..<0xE000).contains(low)
                else { return nil }
                return offset + 12
            case 0xDC00..<0xE000: return nil
            default: return offset + 6
            }
        default: return nil
        }
    }

    private func hexadecimal(_ bytes: Span<UInt8>, _ offset: Int) -> UInt32? {
        guard offset + 4 <= end else { return nil }
        var value: UInt32 = 0
        for index in offset..<(offset + 4) {
            guard let digit = EventScanner.digit(bytes[index]) else { return nil }
            value = value << 4 | digit
        }
        return value
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 0x30...0x39: UInt32(byte - 0x30)
        case 0x41...0x46: UInt32(byte - 0x41 + 10)
        case 0x61...0x66: UInt32(byte - 0x61 + 10)
        default: nil
        }
    }
}

extension Span<UInt8> {
    /// The bytes of `range`, for what has to outlive the buffer.
    func copy(_ range: Range<Int>) -> [UInt8] {
        // Within the span's bounds, which `extracting` has checked; the copy is made before the buffer goes.
        unsafe extracting(range).withUnsafeBufferPointer { unsafe Array($0) }
    }
}
