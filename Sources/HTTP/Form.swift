/// `application/x-www-form-urlencoded`, as OAuth uses it for bodies, for queries and for client credentials (RFC 6749 appendix B).
public enum Form {
    /// `name=value&…` in the order given.
    public static func encode(_ fields: [(name: String, value: String)]) -> String {
        fields.map { escape($0.name) + "=" + escape($0.value) }.joined(separator: "&")
    }

    /// Every byte but RFC 3986's unreserved ones as `%XX`; a space as `%20`, which a reader of forms takes as well as `+`.
    public static func escape(_ value: String) -> String {
        var out = ""
        for byte in value.utf8 {
            if isLetter(byte) || isDigit(byte) || "-._~".utf8.contains(byte) {
                out.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = Array("0123456789ABCDEF".unicodeScalars)
                out += "%"
                out.unicodeScalars.append(digits[Int(byte >> 4)])
                out.unicodeScalars.append(digits[Int(byte & 15)])
            }
        }
        return out
    }

    /// The fields in their order, duplicates kept; nil where an escape or the UTF-8 is malformed, or where there are more than 64.
    public static func decode(_ form: String) -> [(name: String, value: String)]? {
        if form.isEmpty { return [] }
        let parts = form.utf8.split(separator: UInt8(ascii: "&"), maxSplits: 64, omittingEmptySubsequences: true)
        guard parts.count <= 64 else { return nil }
        var fields: [(name: String, value: String)] = []
        for part in parts {
            let equals = part.firstIndex(of: UInt8(ascii: "="))
            let value = equals.map { part[part.index(after: $0)...] } ?? part[part.endIndex...]
            guard let name = unescape(Array(part[..<(equals ?? part.endIndex)])), let value = unescape(Array(value)) else { return nil }
            fields.append((name, value))
        }
        return fields
    }

    private static func unescape(_ bytes: [UInt8]) -> String? {
        var out: [UInt8] = []
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "+"): out.append(0x20)
            case UInt8(ascii: "%"):
                guard index + 2 < bytes.count, isHexDigit(bytes[index + 1]), isHexDigit(bytes[index + 2]),
                    let byte = UInt8(String(decoding: bytes[(index + 1)...(index + 2)], as: UTF8.self), radix: 16)
                else { return nil }
                out.append(byte)
                index += 2
            case let byte: out.append(byte)
            }
            index += 1
        }
        return String(validating: out, as: UTF8.self)
    }
}
