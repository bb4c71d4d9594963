import Vocabulary

/// Our lines in the person's own ssh_config, between marks, so that they can be taken out again and leave what was there byte for byte.
///
/// They come first in the file, since an Include below a Host or Match line holds for those hosts alone; and last, below a `Match all` that
/// ends whatever block the file ends with. What somebody adds at the end of the file thereby holds for every host, which the last of them says.
enum MarkedLines {
    /// A mark without its other half, or other lines between ours.
    struct Disorder: Error, Equatable {
        /// Counted from 1.
        let line: Int
    }

    /// One of our two groups of lines.
    private struct Group {
        /// The usual mark, and the one that tells of something to be undone besides.
        let begin: String
        let special: String
        let before: [String]
        /// The file of ours that is included.
        let file: String
        let after: [String]

        func body(_ folder: String) -> [String] { before + ["Include \(folder)/\(file)"] + after }
    }

    static let usualFolder = "~/.ssh/opk"

    private static let top = Group(
        begin: "# >>> opk: logins when ssh needs them (`opk setup ssh --undo` takes these lines away) >>>",
        special: "# >>> opk: logins when ssh needs them (`opk setup ssh --undo` takes this file away) >>>",
        before: [], file: "config", after: [])
    private static let bottom = Group(
        begin: "# >>> opk: the same for names with a HostName >>>",
        special: "# >>> opk: the same for names with a HostName (the line above had no end) >>>",
        before: ["Match all"], file: "config-aliases", after: ["# Below this line: for every host."])
    private static let end = "# <<< opk <<<"

    static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// The file with our lines in it, once; nil is a file that is not there.
    ///
    /// - Parameter folder: where our own files are, for ssh_config.
    static func adding(to file: [UInt8]?, including folder: String = usualFolder) throws(Disorder) -> [UInt8] {
        let (content, isMade) = try taken(from: file)
        let text = content ?? []
        let lineBreak: [UInt8] = hasCRLF(text) ? [0x0D, 0x0A] : [0x0A]
        let isOpen = text.last.map { $0 != 0x0A } ?? false
        return lines(top, isSpecial: file == nil || isMade, folder, lineBreak) + text + (isOpen ? lineBreak : [])
            + lines(bottom, isSpecial: isOpen, folder, lineBreak)
    }

    /// The file without our lines; nil where there was none before us, and nobody has written anything since.
    static func removing(from file: [UInt8]?) throws(Disorder) -> [UInt8]? {
        let (content, isMade) = try taken(from: file)
        return isMade && content?.isEmpty ?? true ? nil : content
    }

    private static func lines(_ group: Group, isSpecial: Bool, _ folder: String, _ lineBreak: [UInt8]) -> [UInt8] {
        ([isSpecial ? group.special : group.begin] + group.body(folder) + [end]).flatMap { Array($0.utf8) + lineBreak }
    }

    /// What the first line ends with decides.
    private static func hasCRLF(_ text: [UInt8]) -> Bool {
        guard let first = text.firstIndex(of: 0x0A), first > 0 else { return false }
        return text[first - 1] == 0x0D
    }

    /// - Returns: what is not ours, and whether the file itself is.
    private static func taken(from file: [UInt8]?) throws(Disorder) -> (content: [UInt8]?, isMade: Bool) {
        guard let file else { return (nil, false) }
        let lines = split(file)
        var rest: [UInt8] = []
        var isMade = false
        // Where a line break of ours ends, and how long it is.
        var added: (end: Int, count: Int)?
        var index = 0
        while index < lines.count {
            let words = bare(lines[index])
            guard words != end else { throw Disorder(line: index + 1) }
            guard let group = [top, bottom].first(where: { words == $0.begin || words == $0.special }) else {
                rest += lines[index]
                index += 1
                continue
            }
            let body = group.body(usualFolder)
            for (offset, expected) in (body + [end]).enumerated() {
                let here = index + 1 + offset
                guard here < lines.count, bare(lines[here]) == expected else { throw Disorder(line: min(here, lines.count - 1) + 1) }
            }
            if words == top.special { isMade = true }
            if words == bottom.special { added = (rest.count, lines[index].suffix(2).elementsEqual([0x0D, 0x0A]) ? 2 : 1) }
            index += body.count + 2
        }
        // Where something was written below it the line break belongs to that.
        if let added, added.end == rest.count, rest.last == 0x0A { rest.removeLast(min(added.count, rest.count)) }
        return (rest, isMade)
    }

    /// With their ends.
    private static func split(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        while start < bytes.count {
            let next = bytes[start...].firstIndex(of: 0x0A).map { $0 + 1 } ?? bytes.count
            lines.append(bytes[start..<next])
            start = next
        }
        return lines
    }

    /// Without the space around it: an editor may have changed that.
    private static func bare(_ line: ArraySlice<UInt8>) -> String {
        let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A }
        let text = line.drop(while: isSpace)
        let last = text.lastIndex { !isSpace($0) }
        return String(decoding: last.map { text[...$0] } ?? [], as: UTF8.self)
    }
}
