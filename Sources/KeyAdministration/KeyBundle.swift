public import JOSE
public import KeyCache
public import Vocabulary

/// Keys on their way to a machine without network: whole records of a cache in one JSON text.
///
///     {"version":1,"records":[{"version":1,"issuer":"…",…},…]}
///
/// Whoever can write such a file can write a provider's keys: it goes by a way that is trusted as its destination trusts root.
public struct KeyBundle: Sendable {
    /// As they are in the text: each has yet to be looked at.
    public let records: [JSON]

    /// Bytes: some thousand records of usual size.
    public static let maximumSize = 16 << 20
    public static let maximumRecords = 10_000

    public enum Fault: Error, Equatable, Sendable {
        case notJSON(JSONError)
        /// Another `version` than 1, or none.
        case version
        /// `records` is missing or no list.
        case noRecords
        case tooManyRecords
        /// One issuer twice: which record shall count nobody could say.
        case issuerTwice(Text)
    }

    public init(parsing bytes: [UInt8]) throws(Fault) {
        let object: JSONObject
        do { object = try JSONObject(parsing: bytes) } catch { throw .notJSON(error) }
        guard object["version"] == 1 else { throw .version }
        guard let records = object["records"]?.array else { throw .noRecords }
        guard records.count <= KeyBundle.maximumRecords else { throw .tooManyRecords }
        var seen: Set<Text> = []
        for issuer in records.lazy.compactMap({ $0["issuer"]?.string }) where !seen.insert(issuer).inserted { throw .issuerTwice(issuer) }
        self.records = records
    }

    /// The text, with each record byte for byte as it is in the cache.
    public static func text(_ keys: [CachedKeys]) -> [UInt8] {
        let records = keys.map(\.record).joined(separator: Array(",\n".utf8))
        return Array("{\"version\":1,\"records\":[\n".utf8) + records + Array("\n]}\n".utf8)
    }
}

extension KeyBundle.Fault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notJSON(let error): "this is no export of keys: \(error.reason.rawValue), at byte \(error.offset)"
        case .version: "this is no export of keys, or one of another version of opk: its version is not 1"
        case .noRecords: "this is no export of keys: it has no records"
        case .tooManyRecords: "there are more than \(KeyBundle.maximumRecords) records in it"
        case .issuerTwice(let issuer): "it has two records of \(issuer.escaped(limit: 200))"
        }
    }
}
