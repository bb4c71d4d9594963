import JOSE
import Vocabulary

/// The claims of an ID token as opkssh hands them over: absent and null are empty, another type than the usual one costs the question.
struct PluginClaims {
    private let claims: JSONObject

    init(_ claims: JSONObject) { self.claims = claims }

    func text(_ name: Text) throws(RowFault) -> [UInt8] {
        switch claims[name] {
        case nil, .null: return []
        case .string(let text): return try bounded(text.utf8, name)
        default: throw RowFault("the claim \(name) is not a string")
        }
    }

    /// Whole seconds, rounded down.
    func date(_ name: Text) throws(RowFault) -> [UInt8] {
        switch claims[name] {
        case nil, .null: return []
        case .number(let number):
            guard let time = number.time else { throw RowFault("the claim \(name) is not a date") }
            return Array(String(time.seconds).utf8)
        default: throw RowFault("the claim \(name) is not a number")
        }
    }

    /// `true` or `false`; a string as it is, so that only "true" is true (V63).
    func emailVerified() throws(RowFault) -> [UInt8] {
        switch claims["email_verified"] {
        case nil: return []
        case .bool(true): return Array("true".utf8)
        case .bool(false), .null: return Array("false".utf8)
        case .string(let text): return try bounded(text.utf8, "email_verified")
        default: throw RowFault("the claim email_verified is neither a boolean nor a string")
        }
    }

    /// A string as it is, an array as a list.
    func audience() throws(RowFault) -> [UInt8] {
        if case .string(let name)? = claims["aud"] { return try bounded(name.utf8, "aud") }
        return try list("aud")
    }

    /// `["a","b"]`, only `"`, `\` and control characters escaped. (opkssh escapes nothing, so that the one group `a","b` would be two.)
    func list(_ name: Text) throws(RowFault) -> [UInt8] {
        switch claims[name] {
        case nil, .null: return []
        case .array(let elements):
            var out: [UInt8] = []
            for element in elements {
                guard case .string(let text) = element else {
                    throw RowFault("the claim \(name.escaped(limit: 64)) is not a list of strings")
                }
                out += out.isEmpty ? [UInt8(ascii: "["), quote] : [UInt8(ascii: ","), quote]
                PluginClaims.write(text, to: &out)
                out.append(quote)
            }
            return try bounded((out.isEmpty ? [UInt8(ascii: "[")] : out) + [UInt8(ascii: "]")], name)
        default: throw RowFault("the claim \(name.escaped(limit: 64)) is not a list")
        }
    }

    private func bounded(_ value: [UInt8], _ name: Text) throws(RowFault) -> [UInt8] {
        guard value.count <= PluginQuestion.longestClaim else {
            throw RowFault("the claim \(name.escaped(limit: 64)) is over \(PluginQuestion.longestClaim) bytes")
        }
        guard !value.contains(0) else { throw RowFault("the claim \(name.escaped(limit: 64)) contains a NUL") }
        return value
    }

    private static func write(_ text: Text, to out: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case quote, backslash: out += [backslash, byte]
            case 0x00..<0x20: out += "\\u00".utf8 + [hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]]
            default: out.append(byte)
            }
        }
    }
}

private let quote = UInt8(ascii: "\"")
private let backslash = UInt8(ascii: "\\")
private let hexadecimal = Array("0123456789abcdef".utf8)
