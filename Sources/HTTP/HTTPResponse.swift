public import Vocabulary

/// A complete answer, whatever its status.
public struct HTTPResponse: Sendable {
    /// 200 to 599.
    public let status: Int
    /// The Content-Type header as it came.
    public let contentType: String?
    /// For how long the answer may be kept, in seconds, where it says so (RFC 9111): see `CacheControl`.
    public let cacheSeconds: Int64?
    /// At most the client's limit; as it was sent: no content coding was offered and none is undone.
    public let body: [UInt8]
    /// What time the other side said that it was, as the answer came: its Date header (RFC 9110 section 6.6.1) and, where a cache kept the
    /// answer in between, the Age on top of it. Nil without a Date that can be read.
    public let date: UnixTime?
    /// Where a redirect points, made absolute. Not checked: hostile.
    public let location: String?

    public init(
        status: Int, contentType: String?, cacheSeconds: Int64? = nil, body: [UInt8], date: UnixTime? = nil, location: String? = nil
    ) {
        self.status = status
        self.contentType = contentType
        self.cacheSeconds = cacheSeconds
        self.body = body
        self.date = date
        self.location = location
    }

    /// The media type is `application/json` or `application/SOMETHING+json`, whatever its parameters (C09).
    public var isJSON: Bool {
        guard let contentType else { return false }
        let type = contentType.utf8.prefix { $0 != UInt8(ascii: ";") }.filter { $0 != 0x20 && $0 != 0x09 }
            .map { (0x41...0x5A).contains($0) ? $0 + 32 : $0 }
        let subtype = type.dropFirst(12)
        guard type.starts(with: "application/".utf8), subtype.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ",") })
        else { return false }
        return subtype.elementsEqual("json".utf8) || (subtype.count > 5 && subtype.suffix(5).elementsEqual("+json".utf8))
    }
}
