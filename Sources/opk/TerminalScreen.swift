import CSystem
import ChildProcess
import QRCode

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The terminal at standard error, as far as it can be known.
struct TerminalScreen {
    let columns: Int
    let rows: Int
    let isUTF8: Bool
    let has256Colours: Bool

    /// Nil where standard error is no terminal, or one that can only print (`TERM=dumb`).
    init?(environment: ProcessEnvironment = .inherited()) {
        guard isatty(STDERR_FILENO) == 1, let kind = environment["TERM"], !kind.isEmpty, kind != "dumb" else { return nil }
        // One that does not say how large it is, a serial line for instance, is taken for the smallest usual one.
        var (columns, rows): (Int32, Int32) = (80, 24)
        _ = unsafe opk_terminal_size(STDERR_FILENO, &columns, &rows)
        self.columns = Int(columns)
        self.rows = Int(rows)
        // As setlocale(3) looks for it.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { environment[$0] }.first { !$0.isEmpty }?.lowercased() ?? ""
        isUTF8 = locale.hasSuffix("utf-8") || locale.hasSuffix("utf8") || locale.contains("utf-8@") || locale.contains("utf8@")
        has256Colours = kind.hasSuffix("256color") || environment["COLORTERM"]?.isEmpty == false
    }

    /// The lines of a QR code, `rows` at most, of the first of `texts` for which there is room; nil where there is none.
    func code(_ texts: [String], rows: Int) -> [String]? {
        let screen = QRDrawing.Screen(columns: columns, rows: rows, showsBlocks: isUTF8, has256Colours: has256Colours)
        return texts.lazy.compactMap { QRMatrix(Array($0.utf8)) }.compactMap { QRDrawing($0, on: screen)?.lines }.first
    }

    /// How wide the terminal must be at least for a code of it; nil where no code holds it.
    func columnsOfCode(_ text: String) -> Int? {
        QRMatrix(Array(text.utf8)).map { QRDrawing.leastColumns($0, showsBlocks: isUTF8) }
    }
}
