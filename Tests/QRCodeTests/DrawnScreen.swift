/// What a terminal shows for lines with colours: cells of two pixels above each other, as far as a QR code needs it.
struct DrawnScreen {
    /// Rows of pixels; true is dark.
    let pixels: [[Bool]]

    enum Broken: Error { case escape(String), colour(String), character(Character), notReset }

    /// - Parameter isDark: the terminal's own background; it is what is left and right of the lines, and where a line names no colour.
    init(_ lines: [String], isDark: Bool, columns: Int) throws {
        var pixels: [[Bool]] = [[Bool](repeating: isDark, count: columns), [Bool](repeating: isDark, count: columns)]
        for line in lines {
            var (top, bottom): ([Bool], [Bool]) = ([], [])
            var (foreground, background) = (!isDark, isDark)
            var rest = Substring(line)
            while let character = rest.first {
                rest.removeFirst()
                switch character {
                case "\u{1B}":
                    guard rest.first == "[", let end = rest.firstIndex(of: "m") else { throw Broken.escape(line) }
                    let codes = rest[rest.index(after: rest.startIndex)..<end]
                    rest = rest[rest.index(after: end)...]
                    switch codes {
                    case "0": (foreground, background) = (!isDark, isDark)
                    case "38;5;16;48;5;231", "30;47": (foreground, background) = (true, false)
                    case "48;5;16", "40": background = true
                    case "48;5;231", "47": background = false
                    default: throw Broken.colour(String(codes))
                    }
                case " ": (top, bottom) = (top + [background], bottom + [background])
                case "▀": (top, bottom) = (top + [foreground], bottom + [background])
                case "▄": (top, bottom) = (top + [background], bottom + [foreground])
                case "█": (top, bottom) = (top + [foreground], bottom + [foreground])
                default: throw Broken.character(character)
                }
            }
            guard background == isDark else { throw Broken.notReset }
            let margin = [Bool](repeating: isDark, count: max(0, columns - top.count))
            pixels += [top + margin, bottom + margin]
        }
        self.pixels = pixels + pixels.prefix(2)
    }

    /// A plain portable bitmap (pbm(5)); a pixel of `scale` × `scale` points. Cells are twice as high as wide, and so are those of spaces.
    func bitmap(scale: Int) -> [UInt8] {
        let rows = pixels.flatMap { row in
            let points = row.map { String(repeating: $0 ? "1" : "0", count: scale) }.joined()
            return [String](repeating: points, count: scale)
        }
        return Array("P1\n\(pixels[0].count * scale) \(rows.count)\n\(rows.joined(separator: "\n"))\n".utf8)
    }
}
