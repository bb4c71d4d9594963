public import Vocabulary

/// One event, as one line of JSON: docs/audit-log.md. Members stand in the order in which they were set, each at most once; what is absent is not written.
///
/// Everything that came from outside goes through `set`, which writes it as printable text: control characters and those that turn the direction of writing
/// come out as `\u` escapes, so that a line is a line whoever prints it. No token, key or secret is ever given to it.
public struct AuditEvent: Sendable {
    /// Bytes of a line, its line break included.
    public static let longestLine = 8 << 10
    /// Characters of a text.
    public static let longestText = 512
    /// Elements of a list; `groups_more` says how many are left out.
    public static let mostElements = 64

    public let id: String
    public let kind: AuditKind
    var members: [UInt8] = []

    /// - Parameter id: 10 characters of base32, as `id=` in the system's log.
    public init(_ kind: AuditKind, id: String, at time: UnixTime, host: String, program: String) {
        self.id = id
        self.kind = kind
        members += "{\"v\":1".utf8
        set(.time, AuditEvent.timestamp(time))
        set(.id, id)
        set(.type, kind.rawValue)
        set(.host, host)
        set(.program, program)
    }

    /// A text: cut after `longestText` characters.
    public mutating func set(_ field: AuditField, _ value: String) {
        name(field)
        AuditEvent.write(value, to: &members)
    }

    /// Nil is not written.
    public mutating func set(_ field: AuditField, _ value: String?) {
        if let value { set(field, value as String) }
    }

    public mutating func set(_ field: AuditField, _ value: Int64) {
        name(field)
        members += String(value).utf8
    }

    public mutating func set(_ field: AuditField, _ value: Bool) {
        name(field)
        members += (value ? "true" : "false").utf8
    }

    public mutating func set(_ field: AuditField, _ time: UnixTime) { set(field, time.description) }

    /// Texts, `mostElements` of them at most.
    public mutating func set(_ field: AuditField, _ values: [String]) {
        name(field)
        members.append(UInt8(ascii: "["))
        for (index, value) in values.prefix(AuditEvent.mostElements).enumerated() {
            if index > 0 { members.append(UInt8(ascii: ",")) }
            AuditEvent.write(value, to: &members)
        }
        members.append(UInt8(ascii: "]"))
    }

    /// Objects of texts and numbers, such as the files and lines that decided.
    public mutating func set(_ field: AuditField, _ objects: [AuditObject]) {
        name(field)
        members.append(UInt8(ascii: "["))
        for (index, object) in objects.prefix(AuditEvent.mostElements).enumerated() {
            if index > 0 { members.append(UInt8(ascii: ",")) }
            members += object.bytes
        }
        members.append(UInt8(ascii: "]"))
    }

    public mutating func set(_ field: AuditField, _ object: AuditObject) {
        name(field)
        members += object.bytes
    }

    /// The line, with its line break.
    public var line: [UInt8] { members + [UInt8(ascii: "}"), UInt8(ascii: "\n")] }

    private mutating func name(_ field: AuditField) {
        members.append(UInt8(ascii: ","))
        members.append(UInt8(ascii: "\""))
        members += field.rawValue.utf8
        members.append(UInt8(ascii: "\""))
        members.append(UInt8(ascii: ":"))
    }

    /// To the microsecond: `2026-11-28T22:31:49.123456Z`.
    static func timestamp(_ time: UnixTime) -> String {
        var text = time.description
        text.removeLast()
        let micros = String(time.nanoseconds / 1000)
        return text + "." + String(repeating: "0", count: 6 - micros.utf8.count) + micros + "Z"
    }

    /// A JSON string (RFC 8259 section 7).
    static func write(_ value: String, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        var written = 0
        for scalar in value.unicodeScalars {
            if written == longestText {
                out += "\\u2026".utf8
                break
            }
            written += 1
            switch scalar {
            case "\"", "\\": out += [UInt8(ascii: "\\"), UInt8(scalar.value)]
            case _ where isHarmless(scalar): out += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            default:
                for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter { escape(unit, to: &out) }
            }
        }
        out.append(UInt8(ascii: "\""))
    }

    private static func escape(_ unit: UInt16, to out: inout [UInt8]) {
        out += "\\u".utf8
        for shift in [12, 8, 4, 0] { out.append(hexadecimal[Int(unit >> UInt16(shift)) & 15]) }
    }

    private static let hexadecimal = Array("0123456789abcdef".utf8)
}

/// An object inside an event.
public struct AuditObject: Sendable {
    private var members: [UInt8] = []

    public init() {}

    public mutating func set(_ field: AuditField, _ value: String) {
        name(field)
        AuditEvent.write(value, to: &members)
    }

    public mutating func set(_ field: AuditField, _ value: Int64) {
        name(field)
        members += String(value).utf8
    }

    var bytes: [UInt8] { [UInt8(ascii: "{")] + members + [UInt8(ascii: "}")] }

    private mutating func name(_ field: AuditField) {
        if !members.isEmpty { members.append(UInt8(ascii: ",")) }
        members.append(UInt8(ascii: "\""))
        members += field.rawValue.utf8
        members += "\":".utf8
    }
}
