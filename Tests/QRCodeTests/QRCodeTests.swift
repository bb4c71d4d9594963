import ChildProcess
import Foundation
import Testing

@testable import QRCode

@Suite("QRCode: what is drawn is what a scanner reads")
struct QRCodeTests {
    static let url = "https://idp.example.com/device?user_code=WDJB-MJHT"
    static let screens: [QRDrawing.Screen] = [true, false].flatMap { blocks in
        [true, false].map { .init(columns: 200, rows: 200, showsBlocks: blocks, has256Colours: $0) }
    }

    static func text(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(ascii: "a") + UInt8($0 % 26) } }

    /// The modules in a drawing, quiet zone and all.
    static func modules(_ drawing: QRDrawing, on screen: QRDrawing.Screen, isDark: Bool) throws -> [[Bool]] {
        let drawn = try DrawnScreen(drawing.lines, isDark: isDark, columns: 0).pixels.dropFirst(2).dropLast(2)
        if screen.showsBlocks { return Array(drawn) }
        // Two cells and two half lines a module.
        let rows = stride(from: drawn.startIndex, to: drawn.endIndex, by: 2).map { drawn[$0] }
        return rows.map { row in stride(from: 0, to: row.count, by: 2).map { row[$0] } }
    }

    @Test("the drawn lines are the matrix and a quiet zone of four, on a dark and on a light terminal", arguments: screens.indices)
    func drawn(index: Int) throws {
        let screen = QRCodeTests.screens[index]
        for count in [1, 17, 18, 60, 106, 150] {
            let matrix = try #require(QRMatrix(QRCodeTests.text(count)))
            let drawing = try #require(QRDrawing(matrix, on: screen))
            for isDark in [true, false] {
                let modules = try QRCodeTests.modules(drawing, on: screen, isDark: isDark)
                #expect(modules[0].count == matrix.size + 8)
                #expect(modules.count >= matrix.size + 8)
                for (row, line) in modules.enumerated() {
                    for (column, dark) in line.enumerated() {
                        #expect(dark == matrix.isDark(row: row - 4, column: column - 4))
                    }
                }
            }
        }
    }

    @Test("the smallest code is taken, and the better correction where it costs nothing")
    func smallest() throws {
        // Bytes that versions 1 to 5 hold (ISO/IEC 18004 table 7): at level L, and at level M.
        for (version, low, medium) in [(1, 17, 14), (2, 32, 26), (3, 53, 42), (4, 78, 62), (5, 106, 84)] {
            let size = 17 + 4 * version
            #expect(QRMatrix(QRCodeTests.text(low))?.size == size)
            #expect(QRMatrix(QRCodeTests.text(low + 1))?.size == size + 4)
            #expect(try QRCodeTests.level(of: #require(QRMatrix(QRCodeTests.text(low)))) == 0b01)
            #expect(try QRCodeTests.level(of: #require(QRMatrix(QRCodeTests.text(medium)))) == 0b00)
            #expect(try QRCodeTests.level(of: #require(QRMatrix(QRCodeTests.text(medium + 1)))) == 0b01)
        }
    }

    /// The two bits of the format information (section 7.9) that name the level, without their mask.
    static func level(of matrix: QRMatrix) -> Int {
        let bit = { (column: Int) in matrix.isDark(row: 8, column: column) ? 1 : 0 }
        return (bit(0) << 1 | bit(1)) ^ 0b10
    }

    @Test("the quiet zone shrinks to two before the code is given up, and half a code is never drawn")
    func small() throws {
        let matrix = try #require(QRMatrix(QRCodeTests.text(78)))
        #expect(matrix.size == 33)
        for (columns, rows, width) in [(41, 21, 41), (40, 21, 39), (39, 20, 39), (37, 19, 37), (200, 19, 37)] {
            let screen = QRDrawing.Screen(columns: columns, rows: rows, showsBlocks: true, has256Colours: true)
            let lines = try #require(QRDrawing(matrix, on: screen)).lines
            #expect(lines.count <= rows)
            #expect(lines.allSatisfy { $0.split(separator: "m")[1].prefix { $0 != "\u{1B}" }.count == width })
        }
        for (columns, rows) in [(36, 200), (200, 18), (0, 0), (-1, -1)] {
            #expect(QRDrawing(matrix, on: .init(columns: columns, rows: rows, showsBlocks: true, has256Colours: true)) == nil)
        }
        #expect(QRDrawing(matrix, on: .init(columns: 73, rows: 37, showsBlocks: false, has256Colours: true)) == nil)
        #expect(QRDrawing(matrix, on: .init(columns: 74, rows: 37, showsBlocks: false, has256Colours: true)) != nil)
    }

    @Test("without Unicode a line is ASCII, and none leaves its colours behind")
    func ascii() throws {
        let matrix = try #require(QRMatrix(Array(QRCodeTests.url.utf8)))
        for screen in QRCodeTests.screens {
            let lines = try #require(QRDrawing(matrix, on: screen)).lines
            #expect(lines.allSatisfy { $0.hasSuffix("\u{1B}[0m") })
            #expect(screen.showsBlocks || lines.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } })
        }
    }

    @Test("nothing, and what no code holds, is no code")
    func impossible() {
        #expect(QRMatrix([]) == nil)
        #expect(QRMatrix(QRCodeTests.text(2953))?.size == 177)
        #expect(QRMatrix(QRCodeTests.text(2954)) == nil)
        #expect(QRMatrix([UInt8](repeating: 0, count: 1 << 20)) == nil)
    }

    static let decoder = FileManager.default.isExecutableFile(atPath: "/usr/bin/zbarimg")

    @Test(
        "a real decoder reads the URL from a dark and from a light terminal",
        .enabled(if: decoder, "zbarimg (zbar-tools) is not installed"),
        arguments: screens.indices)
    func decoded(index: Int) throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("opk-qr-\(UUID().uuidString).pbm")
        defer { try? FileManager.default.removeItem(at: file) }
        for url in [QRCodeTests.url, "https://x.example/" + String(repeating: "a%3Db&", count: 80)] {
            let matrix = try #require(QRMatrix(Array(url.utf8)))
            var screen = QRCodeTests.screens[index]
            for isTight in [false, true] {
                if isTight { (screen.columns, screen.rows) = screen.showsBlocks ? (matrix.size + 4, 200) : (2 * matrix.size + 8, 200) }
                let drawing = try #require(QRDrawing(matrix, on: screen))
                for isDark in [true, false] {
                    let drawn = try DrawnScreen(drawing.lines, isDark: isDark, columns: screen.columns + 4)
                    try Data(drawn.bitmap(scale: 4)).write(to: file)
                    let outcome = try ChildProcess.run(
                        "/usr/bin/zbarimg", ["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", file.path], environment: .inherited(),
                        deadline: 60_000)
                    #expect(String(decoding: outcome.output, as: UTF8.self) == url + "\n", "dark: \(isDark), \(screen)")
                }
            }
        }
    }
}
