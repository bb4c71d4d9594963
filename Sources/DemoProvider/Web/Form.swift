import Vocabulary

/// Parameters as `application/x-www-form-urlencoded` has them (WHATWG URL section 5), of a query or of a body.
struct Form: Sendable {
    let fields: [(name: Text, value: Text)]

    static let empty = Form(fields: [])

    init(fields: [(name: Text, value: Text)]) {
        self.fields = fields
    }

    /// Nil where a part is not percent-encoded UTF-8.
    init?(parsing encoded: some Sequence<UInt8>) {
        var fields: [(name: Text, value: Text)] = []
        for pair in Array(encoded).split(separator: UInt8(ascii: "&")) {
            let halves = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let first = halves.first, let name = Form.decode(first), let value = Form.decode(halves.count > 1 ? halves[1] : [])
            else { return nil }
            fields.append((name, value))
        }
        self.fields = fields
    }

    /// The first value of that name.
    subscript(_ name: Text) -> Text? {
        fields.first { $0.name == name }?.value
    }

    /// RFC 6749 section 3.1: a parameter must not be there twice.
    var repeats: Bool {
        Set(fields.map(\.name)).count != fields.count
    }

    /// Both, this one first.
    func joined(with other: Form) -> Form {
        Form(fields: fields + other.fields)
    }

    var encoded: String {
        fields.map { Form.encode($0.name) + "=" + Form.encode($0.value) }.joined(separator: "&")
    }

    static func encode(_ text: Text) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in text.utf8 {
            if isUnreserved(byte) {
                out.append(byte)
            } else {
                out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// RFC 3986 section 2.3.
    static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    static func decode(_ encoded: some Sequence<UInt8>) -> Text? {
        var out: [UInt8] = []
        var rest = encoded.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "+"): out.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(hexDigit), let low = rest.next().flatMap(hexDigit) else { return nil }
                out.append(high << 4 | low)
            default: out.append(byte)
            }
        }
        return Text(validating: out)
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
