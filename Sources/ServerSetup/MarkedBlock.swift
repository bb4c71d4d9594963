/// Our lines in a file of another program's, between two marks, so that they can be taken out again whatever was changed around them.
enum MarkedBlock {
    static let begin = "# >>> opk: `opk setup server --undo` takes these lines away >>>"
    static let end = "# <<< opk <<<"

    /// In front of everything else.
    static func adding(_ lines: [String], to file: [UInt8]) -> [UInt8] {
        Array((([begin] + lines + [end]).joined(separator: "\n") + "\n").utf8) + file
    }

    static func isIn(_ file: [UInt8]) -> Bool { String(decoding: file, as: UTF8.self).contains(begin) }

    /// Nil where the marks are not as we set them.
    static func removing(from file: [UInt8]) -> [UInt8]? {
        var rest: [UInt8] = []
        var isInside = false
        var start = 0
        while start < file.count {
            let next = file[start...].firstIndex(of: 0x0A).map { $0 + 1 } ?? file.count
            var line = file[start..<next]
            if line.last == 0x0A { line.removeLast() }
            if line.last == 0x0D { line.removeLast() }
            switch (line.elementsEqual(begin.utf8), line.elementsEqual(end.utf8), isInside) {
            case (true, _, false): isInside = true
            case (_, true, true): isInside = false
            case (true, _, true), (_, true, false): return nil
            case (_, _, true): break
            case (_, _, false): rest += file[start..<next]
            }
            start = next
        }
        return isInside ? nil : rest
    }
}
