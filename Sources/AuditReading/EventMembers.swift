import AuditTrail

/// Writes an event in another system's form as JSON (RFC 8259), member by member, into one buffer: what the record does not say is not written, and an object
/// or a list without contents is not either.
///
/// Values that stay as they are are copied from the record's line, where they are JSON already.
struct EventMembers {
    let record: AuditRecord
    private var bytes: [UInt8] = []
    /// Fields that are in the event by now: a bit for each.
    private var taken: UInt64 = 0

    init(_ record: AuditRecord) {
        self.record = record
        bytes.reserveCapacity(3 * record.line.count + 1024)
        bytes.append(UInt8(ascii: "{"))
    }

    /// The whole object.
    var finished: [UInt8] { bytes + [UInt8(ascii: "}")] }

    // MARK: Of the record

    /// The field as it is in the record.
    mutating func copy(_ name: String, _ field: AuditField) {
        guard let value = record.written(field) else { return }
        begin(name)
        append(value, isText: EventShape(field) == .text)
        take(field)
    }

    /// That this field need not stand under our own name, too.
    mutating func take(_ field: AuditField) { taken |= 1 << UInt64(field.index) }

    /// All fields that are in no member of the event, under our own names; and `always`, which are looked for there.
    mutating func rest(_ name: String, always: [AuditField]) {
        var wanted = record.found & ~taken
        for field in always { wanted |= record.found & (1 << UInt64(field.index)) }
        object(name) { rest in
            while wanted != 0 {
                let field = EventFields.all[wanted.trailingZeroBitCount]
                wanted &= wanted - 1
                rest.copy(field.rawValue, field)
            }
        }
    }

    // MARK: Of our own making

    mutating func set(_ name: String, _ text: String?) {
        guard let text else { return }
        begin(name)
        append(text)
    }

    mutating func set(_ name: String, _ number: Int64?) {
        guard let number else { return }
        begin(name)
        bytes += String(number).utf8
    }

    mutating func set(_ name: String, _ flag: Bool?) {
        guard let flag else { return }
        begin(name)
        bytes += (flag ? "true" : "false").utf8
    }

    mutating func set(_ name: String, _ texts: [String]) {
        if texts.isEmpty { return }
        begin(name)
        open("[")
        for text in texts {
            separate()
            append(text)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    /// - Parameter body: writes the object's members; where it writes none, there is no object.
    mutating func object(_ name: String, _ body: (inout EventMembers) -> Void) {
        let start = bytes.count
        begin(name)
        open("{")
        let inner = bytes.count
        body(&self)
        if bytes.count == inner { return bytes.removeLast(inner - start) }
        bytes.append(UInt8(ascii: "}"))
    }

    /// A list of objects with one member each.
    mutating func objects(_ name: String, each member: String, _ texts: [String]) {
        if texts.isEmpty { return }
        begin(name)
        open("[")
        for text in texts {
            separate()
            open("{")
            set(member, text)
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: "]"))
    }

    // MARK: JSON

    private mutating func begin(_ name: String) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes += name.utf8
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func open(_ bracket: Unicode.Scalar) { bytes.append(UInt8(truncatingIfNeeded: bracket.value)) }

    /// No value ends with an opening bracket.
    private mutating func separate() {
        if let last = bytes.last, last != UInt8(ascii: "{"), last != UInt8(ascii: "[") { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func append(_ value: ArraySlice<UInt8>, isText: Bool) {
        if isText { bytes.append(UInt8(ascii: "\"")) }
        bytes += value
        if isText { bytes.append(UInt8(ascii: "\"")) }
    }

    private mutating func append(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        let start = bytes.count
        bytes += text.utf8
        let isPlain = bytes[start...].allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
        if !isPlain { escape(from: start) }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(from start: Int) {
        let raw = bytes[start...]
        var escaped: [UInt8] = []
        for byte in raw {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): escaped += [UInt8(ascii: "\\"), byte]
            case ..<0x20: escaped += (byte < 0x10 ? "\\u000" : "\\u00").utf8 + Array(String(byte, radix: 16).utf8)
            default: escaped.append(byte)
            }
        }
        bytes.replaceSubrange(start..., with: escaped)
    }
}
