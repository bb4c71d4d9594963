import Vocabulary

extension JSON {
    /// This value with every number as a Go program writes it that has read it into a float64: nil where one of them has no such form
    /// (1e400). What is signed or hashed over re-written JSON depends on it (PROTOCOL section 1).
    public var withGoNumbers: JSON? {
        switch self {
        case .null, .bool, .string: return self
        case .number(let number): return number.asGoWrites.map(JSON.number)
        case .array(let elements):
            let rewritten = elements.compactMap(\.withGoNumbers)
            return rewritten.count == elements.count ? .array(rewritten) : nil
        case .object(let object):
            let rewritten = object.members.compactMap { member in
                member.value.withGoNumbers.map { JSONObject.Member(name: member.name, value: $0) }
            }
            guard rewritten.count == object.members.count else { return nil }
            return JSONObject(rewritten).map(JSON.object)
        }
    }
}

extension JSONNumber {
    /// Go's `encoding/json`: the shortest digits that give the same float64; with an exponent below 1e-6 and from 1e21 on.
    var asGoWrites: JSONNumber? {
        guard let value = Double(text.string), value.isFinite else { return nil }
        let sign = value.sign == .minus ? "-" : ""
        guard value != 0 else { return JSONNumber(checked: Text(sign + "0")) }
        let (digits, point) = JSONNumber.shortestDigits(of: value.magnitude)
        if value.magnitude < 1e-6 || value.magnitude >= 1e21 {
            let fraction = digits.count > 1 ? "." + digits.dropFirst() : ""
            let exponent = point - 1
            let power = (exponent < 0 ? "-" : "+") + (exponent >= 0 && exponent < 10 ? "0" : "") + String(abs(exponent))
            return JSONNumber(checked: Text(sign + digits.prefix(1) + fraction + "e" + power))
        }
        let whole = point > 0 ? digits.prefix(point) + String(repeating: "0", count: max(0, point - digits.count)) : "0"
        let fraction = String(repeating: "0", count: max(0, -point)) + digits.dropFirst(max(0, point))
        return JSONNumber(checked: Text(sign + whole + (fraction.isEmpty ? "" : "." + fraction)))
    }

    /// The digits d₁d₂d₃… without zeros at either end, and the power of ten of 0.d₁d₂d₃….
    private static func shortestDigits(of value: Double) -> (digits: String, point: Int) {
        let parts = value.description.split(separator: "e")
        let number = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        var digits = number.joined()
        var point = number[0].count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
        while digits.first == "0" {
            digits.removeFirst()
            point -= 1
        }
        while digits.last == "0" { digits.removeLast() }
        return (digits, point)
    }
}
