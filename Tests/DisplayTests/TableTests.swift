import Display
import Testing

@Suite("Table: rows for a terminal")
struct TableTests {
    @Test("columns are as wide as their widest cell, and no line ends in a blank")
    func aligned() {
        var table = Table(head: ["A", "LONGER", "C"])
        table.append(["something", "é", "last"])
        table.append(["x", "y"])
        table.append([])
        #expect(table.lines == ["A          LONGER  C", "something  é       last", "x          y", ""])
    }
}
