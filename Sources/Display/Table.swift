/// Rows of cells for a terminal: each column as wide as its widest cell, two blanks between.
public struct Table: Sendable {
    /// Cells hold no line break and nothing that a terminal could obey.
    private var rows: [[String]]

    public init(head: [String]) { rows = [head] }

    public mutating func append(_ row: [String]) { rows.append(row) }

    /// The head first; no blanks at the end of a line.
    public var lines: [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { column < $0.count ? Table.width($0[column]) : 0 }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] + 2 - Table.width(cell))
            }
            return cells.joined()
        }
    }

    /// Characters, which is what a terminal shows of almost everything.
    private static func width(_ cell: String) -> Int { cell.unicodeScalars.count }
}
