import Policy
import Vocabulary

/// Whether a change of `auth_id` did what was asked and nothing else, by what the verifier's own reader finds before and after.
struct AuthIDCheck {
    let before: AuthID
    let after: AuthID

    /// - Parameters:
    ///   - gone: lines of the old file that are removed.
    ///   - new: the line of the new file that was not in the old one, or was another there.
    func passes(gone: Set<Int>, new: Int? = nil, replacing: Int? = nil) -> Bool {
        let removed = replacing.map { gone.union([$0]) } ?? gone
        // Most files lose few lines: which of them lie before a line is counted once for all.
        let sorted = gone.sorted()
        var passed = 0
        var kept: [(line: Int, row: AuthRow)] = []
        for row in before.rows where !removed.contains(row.line) {
            while passed < sorted.count && sorted[passed] < row.line { passed += 1 }
            kept.append((row.line - passed, row))
        }
        let found = after.rows.filter { $0.line != new }
        guard kept.count == found.count, after.rows.count == found.count + (new == nil ? 0 : 1) else { return false }
        for (old, row) in zip(kept, found) where old.line != row.line || !AuthIDCheck.same(old.row, row) { return false }
        let faults = before.problems.filter { !removed.contains($0.line) }.map(\.text)
        // Only the first so many are kept.
        return before.problems.count == AuthID.maximumProblems || faults == after.problems.map(\.text)
    }

    private static func same(_ one: AuthRow, _ other: AuthRow) -> Bool {
        one.account == other.account && one.identity == other.identity && one.issuer == other.issuer && one.options == other.options
    }
}
