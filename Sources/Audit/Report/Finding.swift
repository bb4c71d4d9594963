/// How bad a finding is; the exit status of `opk audit` follows from the worst.
public enum Severity: Int, Comparable, Sendable, CaseIterable {
    /// Dead, or to be tidied up: nothing goes wrong by it.
    case note
    /// Risky, or something that was written has no effect.
    case warning
    /// Nobody gets in, or somebody wrong does.
    case error

    public var word: String {
        switch self {
        case .note: "note"
        case .warning: "warning"
        case .error: "error"
        }
    }

    public static func < (left: Severity, right: Severity) -> Bool { left.rawValue < right.rawValue }
}

/// One thing that is wrong, risky or dead.
public struct Finding: Hashable, Sendable {
    public let code: FindingCode
    /// As it is named on this machine, not escaped; empty where the finding is no file's.
    public let file: String
    /// Counted from 1; 0 where it is the whole file's.
    public let line: Int
    /// One sentence without a full stop; what is foreign in it is escaped.
    public let sentence: String
    /// The command that mends it, or what to write; nil where that cannot be said.
    public let remedy: String?

    public var severity: Severity { code.severity }
}

/// What has been found so far. Of one kind in one file only so many are kept: a million rows may all have the same fault.
struct FindingList {
    static let mostOfAKind = 100

    private(set) var all: [Finding] = []
    private var counts: [Kind: Int] = [:]

    private struct Kind: Hashable {
        let code: FindingCode
        let file: String
    }

    mutating func add(_ code: FindingCode, _ file: String = "", line: Int = 0, _ sentence: String, remedy: String? = nil) {
        let kind = Kind(code: code, file: file)
        counts[kind, default: 0] += 1
        guard counts[kind, default: 0] <= FindingList.mostOfAKind else { return }
        all.append(Finding(code: code, file: file, line: line, sentence: sentence, remedy: remedy))
    }

    /// How many of a kind were not kept.
    var leftOut: [(code: FindingCode, file: String, count: Int)] {
        counts.filter { $0.value > FindingList.mostOfAKind }
            .map { ($0.key.code, $0.key.file, $0.value - FindingList.mostOfAKind) }
            .sorted { ($0.1, $0.0.rawValue) < ($1.1, $1.0.rawValue) }
    }
}
