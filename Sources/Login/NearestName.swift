/// The name that somebody probably meant: of those that are known, the one with the fewest slips (a letter too many, too few, another one,
/// or two that changed places), if there are few enough of them.
enum NearestName {
    /// Nil where none is near: more than two slips, or more than a third of the word.
    static func of(_ word: String, among known: [String]) -> String? {
        guard word.utf8.count <= 64 else { return nil }
        var best: (name: String, slips: Int)?
        for name in known {
            let slips = slips(Array(word.lowercased().utf8), Array(name.lowercased().utf8))
            if slips <= min(2, max(1, name.utf8.count / 3)), slips < best?.slips ?? .max { best = (name, slips) }
        }
        return best?.name
    }

    /// Optimal string alignment distance, by bytes.
    private static func slips(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var before: [Int] = []
        var last = Array(0...right.count)
        for row in 0..<left.count {
            var line = [row + 1]
            for column in 0..<right.count {
                var fewest = min(last[column + 1] + 1, line[column] + 1, last[column] + (left[row] == right[column] ? 0 : 1))
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    fewest = min(fewest, before[column - 1] + 1)
                }
                line.append(fewest)
            }
            (before, last) = (last, line)
        }
        return last[right.count]
    }
}
