import Display
import QRCode

/// The QR code of an address: as far as one is wanted, and the terminal can show it.
struct TerminalQRCode {
    enum Wish {
        case none
        /// Where the whole of it and what belongs to it are seen at once.
        case whereItFits
        /// Even where it scrolls.
        case always
    }

    let wish: Wish
    /// Nil where nothing can be drawn.
    let screen: TerminalScreen?

    /// Its lines, or one that says why there are none.
    ///
    /// - Parameters:
    ///   - urls: of which the first that there is room for is drawn.
    ///   - linesBelow: that stand under it.
    func lines(_ urls: [String], linesBelow: Int) -> [String] {
        switch (wish, screen) {
        case (.none, _), (.whereItFits, nil): return []
        case (.always, nil): return ["(No QR code of it: standard error is no terminal, or one that can only print.)"]
        case (.whereItFits, .some(let screen)):
            return screen.code(urls, rows: screen.rows - linesBelow) ?? ["(The terminal is too small for a QR code of it.)"]
        case (.always, .some(let screen)): return screen.code(urls, rows: .max) ?? [tooNarrow(urls, screen)]
        }
    }

    private func tooNarrow(_ urls: [String], _ screen: TerminalScreen) -> String {
        guard let columns = urls.compactMap(screen.columnsOfCode).min() else { return "(The address is too long for a QR code.)" }
        return "(The terminal is too narrow for a QR code of it: \(columns) columns would do.)"
    }
}
