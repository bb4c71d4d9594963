import Vocabulary

/// Why a text is not JSON that may be used here, and at which byte.
public struct JSONError: Error, Equatable, Sendable {
    public enum Reason: String, Sendable {
        case notJSON = "not JSON"
        case notUTF8 = "not UTF-8"
        case duplicateMember = "a member twice"
        case tooDeep = "nested deeper than 64"
        case numberTooLong = "a number of more than 256 characters"
        case trailing = "something after the text"
        case notAnObject = "not an object"
    }

    public let reason: Reason
    /// Counted from 0.
    public let offset: Int

    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

extension JSON {
    /// Levels of arrays and objects, one inside another.
    public static let maximumDepth = 64
    /// Characters of a number.
    public static let maximumNumberLength = 256

    /// Reads exactly one JSON text (RFC 8259): UTF-8 without a byte order mark, no duplicate members, no lone surrogates, and nothing
    /// but white space after it. The caller bounds the size.
    public init(parsing bytes: [UInt8]) throws(JSONError) {
        var parser = JSONParser(bytes)
        self = try parser.text()
    }
}

extension JSONObject {
    /// Reads one JSON text that is an object.
    public init(parsing bytes: [UInt8]) throws(JSONError) {
        guard case .object(let object) = try JSON(parsing: bytes) else { throw JSONError(.notAnObject, at: 0) }
        self = object
    }
}

private struct JSONParser {
    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func text() throws(JSONError) -> JSON {
        let value = try value()
        skipWhiteSpace()
        guard position == bytes.count else { throw JSONError(.trailing, at: position) }
        return value
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func failure(_ reason: JSONError.Reason = .notJSON) -> JSONError { JSONError(reason, at: position) }

    private mutating func skipWhiteSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func expect(_ byte: UInt8) throws(JSONError) {
        guard next == byte else { throw failure() }
        position += 1
    }

    private mutating func value() throws(JSONError) -> JSON {
        skipWhiteSpace()
        switch next {
        case UInt8(ascii: "{"): return .object(try object())
        case UInt8(ascii: "["): return .array(try array())
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        for byte in Array("\(word)".utf8) { try expect(byte) }
        return value
    }

    private mutating func descend() throws(JSONError) {
        depth += 1
        guard depth <= JSON.maximumDepth else { throw failure(.tooDeep) }
        position += 1
        skipWhiteSpace()
    }

    private mutating func array() throws(JSONError) -> [JSON] {
        try descend()
        defer { depth -= 1 }
        var elements: [JSON] = []
        if next == UInt8(ascii: "]") {
            position += 1
            return elements
        }
        while true {
            elements.append(try value())
            skipWhiteSpace()
            if next == UInt8(ascii: "]") { break }
            try expect(UInt8(ascii: ","))
        }
        position += 1
        return elements
    }

    private mutating func object() throws(JSONError) -> JSONObject {
        let start = position
        try descend()
        defer { depth -= 1 }
        var members: [JSONObject.Member] = []
        if next == UInt8(ascii: "}") {
            position += 1
            return JSONObject()
        }
        while true {
            skipWhiteSpace()
            let name = try string()
            skipWhiteSpace()
            try expect(UInt8(ascii: ":"))
            members.append(JSONObject.Member(name: name, value: try value()))
            skipWhiteSpace()
            if next == UInt8(ascii: "}") { break }
            try expect(UInt8(ascii: ","))
        }
        position += 1
        guard let object = JSONObject(members) else { throw JSONError(.duplicateMember, at: start) }
        return object
    }

    private mutating func string() throws(JSONError) -> Text {
        try expect(UInt8(ascii: "\""))
        let start = position
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        var content = Array(bytes[start..<position])
        while next != UInt8(ascii: "\"") {
            guard let byte = next, byte >= 0x20 else { throw failure() }
            position += 1
            if byte == UInt8(ascii: "\\") {
                try escape(into: &content)
            } else {
                content.append(byte)
            }
        }
        position += 1
        guard let text = Text(validating: content) else { throw JSONError(.notUTF8, at: start) }
        return text
    }

    private mutating func escape(into content: inout [UInt8]) throws(JSONError) {
        guard let byte = next else { throw failure() }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0C)
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "u"): content += Array(String(try escapedScalar()).utf8)
        default: throw failure()
        }
    }

    /// `\uXXXX`, or two of them that are a surrogate pair; a surrogate alone is no character (RFC 8259 section 8.2).
    private mutating func escapedScalar() throws(JSONError) -> Unicode.Scalar {
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard (0xD800...0xDBFF).contains(first) else { throw failure() }
        try expect(UInt8(ascii: "\\"))
        try expect(UInt8(ascii: "u"))
        let second = try hexadecimal()
        guard (0xDC00...0xDFFF).contains(second), let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) else {
            throw failure()
        }
        return scalar
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else { throw failure() }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    /// RFC 8259 section 6: -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
    private mutating func number() throws(JSONError) -> JSONNumber {
        let start = position
        if next == UInt8(ascii: "-") { position += 1 }
        if next == UInt8(ascii: "0") {
            position += 1
        } else {
            try digits()
        }
        if next == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            position += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        guard position - start <= JSON.maximumNumberLength else { throw failure(.numberTooLong) }
        guard let text = Text(validating: bytes[start..<position]) else { throw failure() }
        return JSONNumber(checked: text)
    }

    private mutating func digits() throws(JSONError) {
        let start = position
        while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        guard position > start else { throw failure() }
    }
}
