/// For how long an answer may be kept (RFC 9111 sections 4.2 and 5.2.2), as a cache of one user's reads it: `max-age` less the `Age` that the
/// answer had when it came; nothing at all under `no-cache` and `no-store`. `s-maxage` is for shared caches, `Expires` for older ones.
enum CacheControl {
    /// Seconds; nil where the header does not say. A header that contradicts itself is read as the shorter.
    static func seconds(_ header: String?, age: String?) -> Int64? {
        guard let header else { return nil }
        var shortest: Int64?
        for directive in header.split(separator: ",") {
            let parts = directive.split(separator: "=", maxSplits: 1).map { trimmed($0) }
            switch parts.first.map({ $0.lowercased() }) {
            case "no-cache", "no-store": return 0
            case "max-age":
                guard parts.count == 2, let seconds = deltaSeconds(parts[1]) else { return 0 }
                shortest = min(shortest ?? .max, seconds)
            default: break
            }
        }
        return shortest.map { max(0, $0 - (age.flatMap { deltaSeconds(trimmed(Substring($0))) } ?? 0)) }
    }

    /// RFC 9111 section 1.2.2: digits; what is too large is 2^31.
    static func deltaSeconds(_ text: Substring) -> Int64? {
        var digits = text
        if digits.count >= 2 && digits.first == "\"" && digits.last == "\"" { digits = digits.dropFirst().dropLast() }
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return min(Int64(digits) ?? .max, 1 << 31)
    }

    static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
