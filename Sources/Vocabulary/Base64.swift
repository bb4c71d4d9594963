/// Base64url without padding (RFC 7515 section 2, RFC 4648 section 5), read strictly: one text for one sequence of bytes.
public enum Base64URL {
    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        String(decoding: encodeBytes(bytes), as: UTF8.self)
    }

    public static func encodeBytes(_ bytes: some Collection<UInt8>) -> [UInt8] {
        Base64Alphabet.url.encode(Array(bytes), padded: false)
    }

    /// Nil for padding, white space, any other character, an impossible length, or bits left over that are not zero.
    public static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        Base64Alphabet.url.decode(Array(text)[...])
    }

    public static func decode(_ text: String) -> [UInt8]? { decode(Array(text.utf8)) }
}

/// Base64 with padding (RFC 4648 section 4), read as strictly. This is what sshd hands over as `%k`.
public enum Base64 {
    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        String(decoding: Base64Alphabet.standard.encode(Array(bytes), padded: true), as: UTF8.self)
    }

    /// Without its padding, as OpenSSH writes a fingerprint.
    public static func encodeUnpadded(_ bytes: [UInt8]) -> String {
        String(decoding: Base64Alphabet.standard.encode(bytes, padded: false), as: UTF8.self)
    }

    /// Nil for missing padding as well.
    public static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        var text = Array(text)[...]
        guard text.count.isMultiple(of: 4) else { return nil }
        for _ in 0..<2 where text.last == UInt8(ascii: "=") { text.removeLast() }
        return Base64Alphabet.standard.decode(text)
    }
}

/// Not generic: it is the busiest loop of a verification, and an unspecialised one asks a witness for every byte.
private struct Base64Alphabet {
    let characters: [UInt8]
    /// The value of each byte; 0xFF for a byte that is not in the alphabet.
    let values: [UInt8]

    static let url = Base64Alphabet("-_")
    static let standard = Base64Alphabet("+/")

    init(_ lastTwo: String) {
        characters = Array(("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + lastTwo).utf8)
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, character) in characters.enumerated() { values[Int(character)] = UInt8(value) }
        self.values = values
    }

    func encode(_ bytes: [UInt8], padded: Bool) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count + 2) / 3 * 4)
        var bits: UInt32 = 0
        var count = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 6 {
                count -= 6
                out.append(characters[Int(bits >> UInt32(count) & 63)])
            }
        }
        if count > 0 { out.append(characters[Int(bits << UInt32(6 - count) & 63)]) }
        while padded && !out.count.isMultiple(of: 4) { out.append(UInt8(ascii: "=")) }
        return out
    }

    func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count % 4 != 1 else { return nil }
        var out: [UInt8] = []
        out.reserveCapacity(text.count / 4 * 3 + 2)
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for character in text {
            let value = values[Int(character)]
            guard value != 0xFF else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                out.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        return bits & ((1 << count) - 1) == 0 ? out : nil
    }
}
