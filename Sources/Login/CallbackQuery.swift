import Vocabulary

/// What an authorization response says (RFC 6749 section 4.1.2, RFC 9207): a code or an error, and whose login it belongs to.
///
/// Every parameter that counts may come once (C16). Others are ignored, as RFC 6749 section 4.1.2 wants.
struct CallbackQuery: Equatable, Sendable {
    enum Answer: Equatable, Sendable {
        case code(Text)
        /// The provider's own words: hostile, to be escaped.
        case error(Text, description: Text?)
    }

    let answer: Answer
    /// Not empty.
    let state: Text
    /// RFC 9207: who answers, where the provider says so.
    let issuer: Text?

    /// `query` is what stands between `?` and the end of the request target.
    init(parsing query: some Collection<UInt8>) throws(StrayRequest) {
        var found: [Text: Text] = [:]
        for pair in query.split(separator: UInt8(ascii: "&")) {
            let halves = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = CallbackQuery.decoded(halves[0]), let value = halves.count == 2 ? CallbackQuery.decoded(halves[1]) : ""
            else { throw .malformedQuery }
            guard CallbackQuery.counting.contains(name) else { continue }
            guard found.updateValue(value, forKey: name) == nil else { throw .repeatedParameter }
        }
        guard let state = found["state"], !state.isEmpty else { throw .withoutState }
        switch (found["code"], found["error"]) {
        case (let code?, nil) where !code.isEmpty && code.utf8.allSatisfy({ (0x20...0x7E).contains($0) }): answer = .code(code)
        case (nil, let error?) where !error.isEmpty: answer = .error(error, description: found["error_description"])
        case (.some, .some): throw .codeAndError
        default: throw .withoutCode
        }
        self.state = state
        issuer = found["iss"]
    }

    private static let counting: Set<Text> = ["code", "state", "error", "error_description", "iss"]

    /// application/x-www-form-urlencoded, strictly: a `%` must begin an escape, and the whole must be UTF-8.
    private static func decoded(_ bytes: some Collection<UInt8>) -> Text? {
        var out: [UInt8] = []
        var rest = bytes.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "+"): out.append(0x20)
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(digit), let low = rest.next().flatMap(digit) else { return nil }
                out.append(high << 4 | low)
            default: out.append(byte)
            }
        }
        return Text(validating: out)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
