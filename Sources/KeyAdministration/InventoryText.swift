import Display
import KeyCache
import Policy
import Vocabulary

// An inventory for a person. Names of keys, addresses and reasons come from providers or from whoever wrote the file: they are escaped and cut.

extension KeyInventory {
    /// Lines without line breaks: a table with what else is to be said under each row, then what holds for all.
    public var lines: [String] {
        var lines: [String] = []
        if entries.isEmpty {
            lines.append("No row of providers names an issuer, and \(Text(cacheFolder).escaped) holds no keys.")
        } else {
            var table = Table(head: ["ISSUER", "STATE", "KEYS", "FETCHED", "RENEWED AFTER", "MAX AGE", "TIMEOUT"])
            for entry in entries { table.append(entry.cells(at: time)) }
            let rows = table.lines
            lines.append(rows[0])
            for (row, entry) in zip(rows.dropFirst(), entries) { lines += [row] + entry.details(at: time).map { "    " + $0 } }
        }
        lines += ["", fetcher.sentence(cacheFolder: cacheFolder)]
        if !problems.isEmpty {
            lines.append("Rows of providers that count for nothing:")
            lines += problems.map { "    \($0)" }
        }
        return lines
    }
}

extension KeyInventory.Entry {
    private static let longestText = 200
    /// Keys of one issuer that are named; `--json` names them all.
    private static let mostNamed = 8

    fileprivate func cells(at now: UnixTime) -> [String] {
        let fetched = keys.map { "\($0.fetchedAt.local) (\(RelativeTime.text($0.fetchedAt, from: now)))" } ?? "-"
        return [
            name, state.word, keys == nil ? "-" : "\(usableKeys.count)", fetched, RelativeTime.span(refreshAfter),
            RelativeTime.span(settings.maximumAge.seconds), RelativeTime.span(settings.timeout.seconds),
        ]
    }

    private var name: String {
        switch subject {
        case .issuer(let issuer): issuer.escaped(limit: Self.longestText)
        case .file(let name): Text(name).escaped(limit: Self.longestText)
        }
    }

    fileprivate func details(at now: UnixTime) -> [String] {
        var lines: [String] = []
        if let why = state.explanation { lines.append(why) }
        if !isNamed, keys != nil { lines.append("no row of providers names this issuer, so nobody is admitted by these keys") }
        if let keys {
            lines.append("keys " + keyNames)
            lines.append("from \(keys.keysURI.escaped(limit: Self.longestText))")
            if let wish = keys.cacheSeconds, refreshAfter != settings.refreshAfter.seconds {
                let set = RelativeTime.span(settings.refreshAfter.seconds)
                lines.append("the provider wishes them to be kept for \(RelativeTime.span(wish)) (Cache-Control); \(set) is set")
            }
        }
        if let lastAttempt { lines.append(Self.text(lastAttempt, now)) }
        return lines
    }

    private var keyNames: String {
        let keys = usableKeys
        let named = keys.prefix(Self.mostNamed).map { "\($0.keyID?.escaped(limit: 64) ?? "without a name") (\($0.algorithm))" }
        let rest = keys.count - named.count
        return keys.isEmpty ? "none that can be used" : named.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }

    private static func text(_ attempt: FetchAttempt, _ now: UnixTime) -> String {
        let time = RelativeTime.text(attempt.ended, from: now)
        if attempt.succeeded { return "last fetch: succeeded \(time)" }
        let count = attempt.failures == 1 ? "failed" : "failed \(attempt.failures) times, last"
        return "last fetch: \(count) \(time): \(attempt.reason)"
    }
}

extension KeyInventory.State {
    fileprivate var word: String {
        switch self {
        case .fresh: "fresh"
        case .stale: "will be renewed"
        case .tooOld: "too old"
        case .fromFuture: "from the future"
        case .absent: "none"
        case .unusable: "unusable"
        }
    }

    /// What follows from it, where that is not plain.
    fileprivate var explanation: String? {
        switch self {
        case .fresh, .absent: nil
        case .stale: "used, and renewed by the next login or `opk keys refresh`"
        case .tooOld: "not used any more: the next login has to wait for the provider"
        case .fromFuture: "not used: this machine's clock was wrong when they were fetched, or is wrong now"
        case .unusable(let why): why
        }
    }
}
