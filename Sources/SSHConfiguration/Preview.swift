import Vocabulary

/// A change of a file as a person reads it, line by line: `+` for what is new, `-` for what goes, `…` for what stays.
public enum Preview {
    /// - Parameter home: shown as `~`.
    public static func lines(of change: SSHSetup.Change, home: String) -> [String] {
        let name = Text(change.path).hasPrefix(Text(home + "/")) ? "~" + String(change.path.dropFirst(home.count)) : change.path
        let title = Text(name).escaped + (change.before == nil ? " (new)" : change.after == nil ? " (goes)" : "")
        let (before, after) = (lines(change.before), lines(change.after))
        var (removed, inserted) = (Set<Int>(), Set<Int>())
        for step in after.difference(from: before) {
            switch step {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): inserted.insert(offset)
            }
        }
        var shown = [title]
        var (old, new) = (0, 0)
        while old < before.count || new < after.count {
            if old < before.count, removed.contains(old) {
                shown.append("  - " + shownAs(before[old]))
                old += 1
            } else if new < after.count, inserted.contains(new) {
                shown.append("  + " + shownAs(after[new]))
                new += 1
            } else {
                if shown.last != "    …" { shown.append("    …") }
                (old, new) = (old + 1, new + 1)
            }
        }
        return shown
    }

    /// As it is written, but for what a terminal would not show or would obey.
    private static func shownAs(_ line: Text) -> String { line.escaped.replacing("\\\"", with: "\"") }

    /// Without their ends; a carriage return is no part of what a person reads.
    private static func lines(_ bytes: [UInt8]?) -> [Text] {
        var lines = (bytes ?? []).split(separator: 0x0A, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines.map { Text(String(decoding: $0.last == 0x0D ? $0.dropLast() : $0, as: UTF8.self)) }
    }
}
