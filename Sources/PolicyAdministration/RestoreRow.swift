public import Policy
import Vocabulary

/// Rows of `revoked` that go: those about exactly this.
public struct RestoreRow: Sendable {
    public enum Selection: Sendable, Equatable {
        case target(Revocation.What)
        case line(Int)
    }

    private let selection: Selection
    private let takesAll: Bool
    private let file: PolicyFile

    /// - Parameter takesAll: whether several rows about the same may go at once.
    public init(_ selection: Selection, takesAll: Bool = false, in place: PolicyPlace) throws(PolicyError) {
        if case .line(let number) = selection, number < 1 { throw .line(number) }
        (self.selection, self.takesAll) = (selection, takesAll)
        file = try place.revoked()
    }

    public var path: String { file.path }

    /// The rows that went, or would; and other rows of the same person that stay are not looked for.
    ///
    /// - Parameter isTrial: whether nothing is to be written.
    public func run(isTrial: Bool) throws(PolicyError) -> [NumberedRow] {
        if isTrial { return try applied(to: try file.read()).result }
        return try file.change(as: "restore", applied)
    }

    func applied(to text: [UInt8]) throws(PolicyError) -> (text: [UInt8]?, result: [NumberedRow]) {
        let before: Revocations
        do throws(PolicyError) {
            before = try RevokeRow.read(text, file)
        } catch {
            // The one line that keeps the file from being read may go, where it is named and nothing else is wrong.
            guard case .brokenRevoked(_, let fault) = error, case .line(let number) = selection, fault.line == number else { throw error }
            let changed = PolicyText.removing([number], from: text)
            _ = try RevokeRow.read(changed, file)
            return (changed, NumberedRow.rows([number], of: text))
        }
        let lines = try chosen(before, text)
        let changed = PolicyText.removing(Set(lines), from: text)
        let after = try RevokeRow.read(changed, file)
        let kept = before.rows.filter { !lines.contains($0.line) }
        guard RevokeRow.same(kept[...], after.rows[...]) else { throw .others }
        return (changed, NumberedRow.rows(lines, of: text))
    }

    private func chosen(_ read: Revocations, _ text: [UInt8]) throws(PolicyError) -> [Int] {
        switch selection {
        case .line(let number):
            guard read.rows.contains(where: { $0.line == number }) else { throw .otherLine(number, "no row is there") }
            return [number]
        case .target(let what):
            let lines = read.rows.filter { $0.what.isSame(what) }.map(\.line)
            if lines.isEmpty { throw .nothing("no row of \(Text(file.path)) is about \(what.inWords)", near: []) }
            guard lines.count == 1 || takesAll else {
                throw .ambiguous(
                    "\(lines.count) rows are about \(what.inWords)",
                    candidates: NumberedRow.rows(Array(lines.prefix(100)), of: text).map { $0.described(in: file.path) },
                    hint: "--line NUMBER for one of them, or --all")
            }
            return lines
        }
    }
}
