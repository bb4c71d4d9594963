/// What is kept of a refusal for `opk explain --last`: lines of a name, a blank and a value. Written by opk-verify, and read as hostile.
public struct KeptRefusal: Hashable, Sendable {
    public var id = ""
    public var step: Int?
    /// A refusal's code, or `wrong-call`.
    public var reason = ""
    public var account = ""
    public var issuer = ""
    public var subject = ""
    public var email = ""
    /// Whether the provider's signature held.
    public var isVerified = false
    public var detail = ""

    public init() {}

    /// At most so many bytes; what comes from outside is escaped and cut, so that the reason's detail always has room.
    public func text(limit: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        func add(_ name: String, _ value: String, _ longest: Int) {
            if value.isEmpty { return }
            bytes += name.utf8
            bytes.append(0x20)
            let end = bytes.count + min(longest, limit - bytes.count - 1)
            if bytes.count + value.utf8.count <= end {
                bytes += value.utf8
                bytes.append(0x0A)
                return
            }
            // Cut at a character.
            for scalar in value.unicodeScalars {
                let encoded = UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
                if bytes.count + encoded.count > end { break }
                bytes += encoded
            }
            bytes.append(0x0A)
        }
        add("id", id, 16)
        add("step", step.map(String.init) ?? "", 16)
        add("reason", reason, 48)
        add("account", account, 112)
        add("issuer", issuer, 176)
        add("subject", subject, 144)
        add("email", email, 144)
        add("verified", isVerified ? "yes" : "", 16)
        add("detail", detail, limit)
        return bytes
    }
}
