public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One event, as one line of JSON: docs/audit-log.md. Members stand in the order in which they were set, each at most once; what is absent is not written.
///
/// It is never longer than `longestLine`: a text or a list is cut at its own limit, and what has no room any more is left out, so what matters is set first.
///
/// Everything that came from outside goes through `set`, which writes it as printable text: control characters and those that turn the direction of writing
/// come out as `\u` escapes, so that a line is a line whoever prints it. No token, key or secret is ever given to it.
public struct AuditEvent: Sendable {
    /// Bytes of a line, its line break included.
    public static let longestLine = 8 << 10
    /// Characters of a text.
    public static let longestText = 512
    /// Bytes of a text as it is written: an escaped character has six.
    static let longestWrittenText = 768
    /// Bytes of a list as it is written.
    static let longestWrittenList = 1024
    /// Elements of a list; `groups_more` says how many are left out.
    public static let mostElements = 64

    public let id: String
    public let kind: AuditKind
    var members: [UInt8] = []
    /// Where a step's number is to be put in.
    private(set) var openStep: Int?

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

    /// Now, on this machine.
    public init(_ kind: AuditKind, id: String = EventID.new(), program: String) {
        self.init(kind, id: id, at: .now(), host: AuditEvent.host, program: program)
    }

    /// This machine's name; empty where it has none.
    private static var host: String {
        var name = [CChar](repeating: 0, count: 256)
        // Writes at most as many characters as there is room for, a zero among them.
        guard unsafe gethostname(&name, name.count - 1) == 0 else { return "" }
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// A text: cut after `longestText` characters.
    public mutating func set(_ field: AuditField, _ value: String) { add(field) { AuditEvent.write(value, to: &$0) } }

    /// Nil is not written.
    public mutating func set(_ field: AuditField, _ value: String?) {
        if let value { set(field, value as String) }
    }

    public mutating func set(_ field: AuditField, _ value: Int64) { add(field) { $0 += String(value).utf8 } }

    public mutating func set(_ field: AuditField, _ value: Bool) { add(field) { $0 += (value ? "true" : "false").utf8 } }

    public mutating func set(_ field: AuditField, _ time: UnixTime) { set(field, time.description) }

    /// Texts, `mostElements` of them at most, and as many as have room. Returns how many are written.
    @discardableResult
    public mutating func set(_ field: AuditField, _ values: [String]) -> Int {
        var written = 0
        add(field) { written = AuditEvent.write(values, to: &$0) }
        return written
    }

    /// Returns how many are written.
    static func write(_ values: [String], to out: inout [UInt8]) -> Int {
        var written = 0
        let start = out.count
        out.append(UInt8(ascii: "["))
        for value in values.prefix(mostElements) {
            let end = out.count
            if written > 0 { out.append(UInt8(ascii: ",")) }
            write(value, to: &out)
            if out.count - start > longestWrittenList {
                out.removeLast(out.count - end)
                break
            }
            written += 1
        }
        out.append(UInt8(ascii: "]"))
        return written
    }

    /// Objects of texts and numbers, such as the files and lines that decided; as many as have room.
    public mutating func set(_ field: AuditField, _ objects: [AuditObject]) {
        add(field) { out in
            let start = out.count
            out.append(UInt8(ascii: "["))
            for (index, object) in objects.prefix(AuditEvent.mostElements).enumerated() {
                let bytes = object.bytes
                if out.count - start + bytes.count > AuditEvent.longestWrittenList { break }
                if index > 0 { out.append(UInt8(ascii: ",")) }
                out += bytes
            }
            out.append(UInt8(ascii: "]"))
        }
    }

    public mutating func set(_ field: AuditField, _ object: AuditObject) { add(field) { $0 += object.bytes } }

    /// The line, with its line break.
    /// At most `longestLine` bytes.
    public var line: [UInt8] { members + [UInt8(ascii: "}"), UInt8(ascii: "\n")] }

    /// For last words: the number of the step is put in when they are spoken.
    public mutating func leaveStepOpen() {
        add(.step) { _ in }
        openStep = members.count
    }

    /// The line without its time, and without the step's number, where that was left open.
    var aroundTimeAndStep: ([UInt8], [UInt8], [UInt8]) {
        let line = line
        // `{"v":1,"time":"` and a time of 27 characters, which are the same for every event.
        let step = openStep ?? line.count
        return (Array(line[..<15]), Array(line[42..<step]), Array(line[step...]))
    }

    /// A member, unless the line would be too long with it.
    private mutating func add(_ field: AuditField, _ write: (inout [UInt8]) -> Void) {
        let end = members.count
        members += ",\"".utf8
        members += field.rawValue.utf8
        members += "\":".utf8
        write(&members)
        // The brace and the line break.
        if members.count > AuditEvent.longestLine - 2 { members.removeLast(members.count - end) }
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
        let start = out.count
        var written = 0
        for scalar in value.unicodeScalars {
            if written == longestText || out.count - start > longestWrittenText - 20 {
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

    /// As many as have room.
    public mutating func set(_ field: AuditField, _ values: [String]) {
        name(field)
        _ = AuditEvent.write(values, to: &members)
    }

    var bytes: [UInt8] { [UInt8(ascii: "{")] + members + [UInt8(ascii: "}")] }

    private mutating func name(_ field: AuditField) {
        if !members.isEmpty { members.append(UInt8(ascii: ",")) }
        members.append(UInt8(ascii: "\""))
        members += field.rawValue.utf8
        members += "\":".utf8
    }
}
