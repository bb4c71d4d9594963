/// A QR code as lines for a terminal, black on white whatever the terminal's own colours are: a scanner wants dark on light, and many take
/// nothing else. Every line names both colours and ends with the terminal's own again.
public struct QRDrawing: Sendable {
    /// What the terminal can show.
    public struct Screen: Hashable, Sendable {
        public var columns: Int
        /// Of which the code may take so many.
        public var rows: Int
        /// Whether it shows the half blocks of Unicode; else a module is two spaces, and the code twice as wide and high.
        public var showsBlocks: Bool
        /// Whether it has the 256 colours of xterm, among them a white that is none of the person's theme.
        public var has256Colours: Bool

        public init(columns: Int, rows: Int, showsBlocks: Bool, has256Colours: Bool) {
            self.columns = columns
            self.rows = rows
            self.showsBlocks = showsBlocks
            self.has256Colours = has256Colours
        }
    }

    /// Without line feeds.
    public let lines: [String]

    /// Light modules around the code: the standard wants four; most scanners are content with two.
    static let quietZones = [4, 3, 2]

    /// Nil where the screen is too small: half a code is none.
    public init?(_ matrix: QRMatrix, on screen: Screen) {
        for quiet in QRDrawing.quietZones {
            let side = matrix.size + 2 * quiet
            let (width, height) = screen.showsBlocks ? (side, (side + 1) / 2) : (2 * side, side)
            guard width <= screen.columns, height <= screen.rows else { continue }
            lines = screen.showsBlocks ? QRDrawing.blocks(matrix, quiet, screen) : QRDrawing.spaces(matrix, quiet, screen)
            return
        }
        return nil
    }

    /// How wide a screen must be at least.
    public static func leastColumns(_ matrix: QRMatrix, showsBlocks: Bool) -> Int {
        (matrix.size + 2 * (quietZones.min() ?? 0)) * (showsBlocks ? 1 : 2)
    }

    /// Two rows of modules a line, in black on white. The last line's lower half is light.
    private static func blocks(_ matrix: QRMatrix, _ quiet: Int, _ screen: Screen) -> [String] {
        let colours = screen.has256Colours ? "\u{1B}[38;5;16;48;5;231m" : "\u{1B}[30;47m"
        return stride(from: -quiet, to: matrix.size + quiet, by: 2).map { row in
            var line = colours
            for column in -quiet..<matrix.size + quiet {
                switch (matrix.isDark(row: row, column: column), matrix.isDark(row: row + 1, column: column)) {
                case (false, false): line += " "
                case (true, false): line += "▀"
                case (false, true): line += "▄"
                case (true, true): line += "█"
                }
            }
            return line + reset
        }
    }

    /// Nothing but spaces and their background: for a terminal that reads no UTF-8.
    private static func spaces(_ matrix: QRMatrix, _ quiet: Int, _ screen: Screen) -> [String] {
        let (dark, light) = screen.has256Colours ? ("\u{1B}[48;5;16m", "\u{1B}[48;5;231m") : ("\u{1B}[40m", "\u{1B}[47m")
        return (-quiet..<matrix.size + quiet).map { row in
            var line = ""
            var before: Bool?
            for column in -quiet..<matrix.size + quiet {
                let isDark = matrix.isDark(row: row, column: column)
                if isDark != before { line += isDark ? dark : light }
                before = isDark
                line += "  "
            }
            return line + reset
        }
    }

    private static let reset = "\u{1B}[0m"
}
