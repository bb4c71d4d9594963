import KeyCache
import SafeFiles

/// What opk-verify asks its broker for (`Broker`), and the whole of what that takes apart of it: a byte that says what, four of a deadline, four of a
/// length, both big endian, and so many bytes, at which it does not look.
struct HelperRequest: Equatable {
    let kind: Kind
    /// In milliseconds from when it is read.
    let deadline: UInt32
    let content: [UInt8]

    enum Kind: UInt8, CaseIterable {
        /// The content of the account's home file. Without content: the account was known before anything hostile was read.
        case home = 1
        /// A request to opk-fetch, and its answer.
        case fetch = 2
        /// The same, and nobody waits for an answer but that it was started.
        case refresh = 3
        /// The plugins' environment, and what comes of it.
        case plugins = 4
        /// The account's number, in decimal: where accounts come from a directory, a confined process cannot ask it.
        case account = 5

        /// Bytes of content.
        var largest: Int {
            switch self {
            case .home, .account: 0
            case .fetch, .refresh: FetchRequest.maximumSize
            case .plugins: 1 << 20
            }
        }
    }

    static let headLength = 9
    /// In milliseconds: no helper takes longer, whatever is asked for.
    static let longest: UInt32 = 40_000

    var head: [UInt8] { [kind.rawValue] + bytes(of: deadline) + bytes(of: UInt32(clamping: content.count)) }

    /// What the nine bytes announce; nil for a kind that there is not, and for more than it may have.
    static func announced(by head: [UInt8]) -> (kind: Kind, deadline: UInt32, length: Int)? {
        guard head.count == headLength, let kind = Kind(rawValue: head[0]) else { return nil }
        let length = Int(number(head[5..<9]))
        return length <= kind.largest ? (kind, min(number(head[1..<5]), longest), length) : nil
    }
}

/// What the broker answers: a byte that says how it went, four of a length, and so many bytes.
struct HelperAnswer: Equatable {
    let status: Status
    let content: [UInt8]

    enum Status: UInt8 {
        /// What was asked for.
        case done = 0
        /// One sentence why not, escaped.
        case failed = 1
        /// There is no home file.
        case absent = 2
    }

    static let headLength = 5
    static let largest = max(FetchAnswer.maximumSize, HomeFile.limit)

    init(_ status: Status, _ content: [UInt8] = []) {
        self.status = status
        self.content = content
    }

    static func failed(_ sentence: String) -> HelperAnswer { HelperAnswer(.failed, Array(sentence.utf8)) }

    var frame: [UInt8] { [status.rawValue] + bytes(of: UInt32(clamping: content.count)) + content }

    static func announced(by head: [UInt8]) -> (status: Status, length: Int)? {
        guard head.count == headLength, let status = Status(rawValue: head[0]) else { return nil }
        let length = Int(number(head[1..<5]))
        return length <= largest ? (status, length) : nil
    }
}

private func bytes(of number: UInt32) -> [UInt8] {
    [
        UInt8(truncatingIfNeeded: number >> 24), UInt8(truncatingIfNeeded: number >> 16), UInt8(truncatingIfNeeded: number >> 8),
        UInt8(truncatingIfNeeded: number),
    ]
}

/// Of four bytes.
private func number(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }
