public import Vocabulary

/// What opk-verify asks opk-fetch for, by whatever way it reaches it (a child, a child of another user, a socket): one line, and for
/// userinfo an access token after it. The end of the text is the end of the stream.
///
///     opk-fetch/1 unknown-kid https://idp.example.com
public struct FetchRequest: Sendable {
    public let kind: Kind
    public let issuer: Text
    /// For `userinfo` only.
    public let accessToken: Secret

    public enum Kind: String, Sendable, CaseIterable {
        /// There are no keys that may be used.
        case keys
        /// There are, but not of the `kid` that a token names.
        case unknownKeyID = "unknown-kid"
        /// There are, but they are not fresh; nobody waits for the answer.
        case refresh
        case userinfo
    }

    /// Bytes: a line, and a token of at most 64 KiB.
    public static let maximumSize = 68 << 10
    static let version = "opk-fetch/1"

    public init(_ kind: Kind, of issuer: Text, accessToken: Secret = Secret([])) {
        self.kind = kind
        self.issuer = issuer
        self.accessToken = accessToken
    }

    /// Nil for anything else.
    public init?(parsing bytes: [UInt8]) {
        guard bytes.count <= FetchRequest.maximumSize, let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let words = bytes[..<end].split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        let token = Array(bytes[(end + 1)...])
        guard words.count == 3, words[0].elementsEqual(FetchRequest.version.utf8),
            let kind = Kind(rawValue: String(decoding: words[1], as: UTF8.self)), let issuer = Text(validating: words[2]), !issuer.isEmpty,
            kind == .userinfo ? !token.isEmpty : token.isEmpty
        else { return nil }
        self.init(kind, of: issuer, accessToken: Secret(token))
    }

    /// Holds the access token: for a pipe or a socket, never for an argument.
    public var text: [UInt8] { Array("\(FetchRequest.version) \(kind.rawValue) \(issuer.string)\n".utf8) + accessToken.exposed }
}

/// What opk-fetch answers: a line that says how it went, lines with warnings, an empty line, and what was fetched.
///
///     opk-fetch/1 ok
///     the keys are not kept: No space left on device
///
///     {"version":1,…}
public enum FetchAnswer: Sendable, Equatable {
    /// A record of keys, or what userinfo said; and what went wrong beside it, a sentence each, escaped.
    case fetched([UInt8], warnings: [String])
    /// Why not: one sentence, escaped.
    case failed(String)

    /// Bytes.
    public static let maximumSize = CachedKeys.maximumSize + (16 << 10)
    private static let longestSentence = 1024
    private static let mostWarnings = 8

    /// Nil for anything else.
    public init?(parsing bytes: [UInt8]) {
        var rest = bytes[...]
        func line() -> ArraySlice<UInt8>? {
            guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            defer { rest = rest[(end + 1)...] }
            return rest[..<end]
        }
        let okay = FetchRequest.version + " ok"
        let failed = FetchRequest.version + " failed "
        guard bytes.count <= FetchAnswer.maximumSize, let first = line() else { return nil }
        if first.starts(with: failed.utf8) {
            self = .failed(FetchAnswer.sentence(first.dropFirst(failed.utf8.count)))
            return
        }
        guard first.elementsEqual(okay.utf8) else { return nil }
        var warnings: [String] = []
        while let warning = line() {
            if warning.isEmpty {
                self = .fetched(Array(rest), warnings: warnings)
                return
            }
            guard warnings.count < FetchAnswer.mostWarnings else { return nil }
            warnings.append(FetchAnswer.sentence(warning))
        }
        return nil
    }

    private static func sentence(_ bytes: ArraySlice<UInt8>) -> String {
        Text(String(decoding: bytes, as: UTF8.self)).escapedOnce(limit: longestSentence)
    }

    public var text: [UInt8] {
        // A sentence is escaped by whoever made it, so it has no line break of its own; were there one, the answer would not be understood.
        switch self {
        case .failed(let sentence): Array("\(FetchRequest.version) failed \(sentence)\n".utf8)
        case .fetched(let content, let warnings):
            Array("\(FetchRequest.version) ok\n\(warnings.prefix(FetchAnswer.mostWarnings).map { $0 + "\n" }.joined())\n".utf8) + content
        }
    }
}
