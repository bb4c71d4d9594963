import AuditTrail

/// What a member of an event is, by its name: docs/audit-log.md.
enum EventShape: UInt8 {
    case text
    case number
    case flag
    case list
    case object

    init(_ field: AuditField) {
        switch field {
        case .version, .step, .groupsMore, .sourcePort, .process, .duration, .lost, .line, .rows, .riskScore: self = .number
        case .granted, .verified, .breakGlass: self = .flag
        case .groups, .amr, .decidedBy, .notes, .riskReasons: self = .list
        case .actor, .change: self = .object
        default: self = .text
        }
    }
}

/// The closed list of members, found by the bytes of their names.
struct EventFields {
    static let all = AuditField.allCases

    private var names: [EventWords] = []
    private var shapes: [EventShape] = []
    /// 1 + the field's index, or 0 for none; linear probing.
    private var slots = [UInt8](repeating: 0, count: 256)

    init() {
        for (index, field) in EventFields.all.enumerated() {
            let words = EventWords(field.rawValue)
            names.append(words)
            shapes.append(EventShape(field))
            var slot = words.slot
            while slots[slot] != 0 { slot = (slot + 1) & 255 }
            slots[slot] = UInt8(truncatingIfNeeded: index + 1)
        }
    }

    /// Nil for a name that is none of ours.
    @inline(__always)
    func index(of words: EventWords) -> Int? {
        var slot = words.slot
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            if names[index] == words { return index }
            slot = (slot + 1) & 255
        }
        return nil
    }

    /// Where the name of this field ends that begins at `start`, with a quote and a colon behind it; nil where another one is there. 32 bytes from there on are
    /// readable.
    @inline(__always)
    func end(of index: Int, _ bytes: Span<UInt8>, _ start: Int) -> Int? {
        let name = names[index]
        let end = start + name.count
        guard EventWords.load(bytes, start, min(8, name.count)) == name.first, bytes.eight(at: end) & 0xFFFF == EventFields.quoteAndColon
        else { return nil }
        if name.count > 8, EventWords.load(bytes, start + 8, min(8, name.count - 8)) != name.second { return nil }
        if name.count > 16, EventWords.load(bytes, start + 16, name.count - 16) != name.third { return nil }
        return end
    }

    /// As `Span.eight` has them.
    private static var quoteAndColon: UInt64 { UInt64(UInt8(ascii: ":")) << 8 | UInt64(UInt8(ascii: "\"")) }

    @inline(__always)
    func shape(_ index: Int) -> EventShape { shapes[index] }
}

extension AuditField {
    /// Its place in `EventFields.all`.
    var index: Int {
        // An enumeration of fewer than 256 cases without values is one byte: the number of the case, in the order in which they are declared and `allCases` has
        // them (a test looks at each). A table by name would cost more than all else that is done with a field.
        Int(unsafe unsafeBitCast(self, to: UInt8.self))
    }
}
