import CSystem
import ChildProcess

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Lines that a person pastes, or that come from a file or a pipe.
///
/// A terminal does not show them, since a code is in them, and gives each byte at once: it would cut a line at 4095 bytes without a word.
final class PastedInput {
    private let descriptor: Int32
    private(set) var isTerminal: Bool
    private var line: [UInt8] = []
    private var hasEnded = false
    /// What came behind the last line that was taken.
    private var unread: [UInt8] = []
    /// Of a sequence that the terminal has begun.
    private var escape: [UInt8] = []
    /// Between the terminal's marks of a paste a line feed is no Enter: it stays in the line, which is refused for it.
    private var isPasting = false
    private static let pasteBegins = Array("\u{1B}[200~".utf8)
    private static let pasteEnds = Array("\u{1B}[201~".utf8)

    /// As long as a request head may be.
    static let longestLine = 32 * 1024

    enum Read: Equatable {
        case nothingYet
        /// So many bytes of a line are there.
        case some(Int)
        /// Without its end.
        case line([UInt8])
        case end
    }

    init(_ descriptor: Int32, environment: ProcessEnvironment = .inherited()) {
        self.descriptor = descriptor
        // A terminal that can only print would show what switches its marks on.
        let kind = environment["TERM"] ?? ""
        isTerminal = opk_terminal_hide_input(descriptor, kind.isEmpty || kind == "dumb" ? 0 : 1) == 0
    }

    deinit { end() }

    /// The terminal shows again what is typed.
    func end() {
        if isTerminal { opk_terminal_show_input() }
        isTerminal = false
    }

    /// What is there within so many milliseconds.
    func read(within milliseconds: Int32) -> Read {
        if unread.isEmpty, !hasEnded {
            var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&polled, 1, milliseconds) > 0 else { return .nothingYet }
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = unsafe systemRead(descriptor, &buffer, buffer.count)
            if count < 0 && (errno == EINTR || errno == EAGAIN) { return .nothingYet }
            if count > 0 { unread = Array(buffer[..<count]) } else { hasEnded = true }
        }
        while !unread.isEmpty {
            if take(unread.removeFirst()) { return take() }
        }
        guard hasEnded else { return .some(line.count) }
        return line.isEmpty ? .end : take()
    }

    /// True at the end of a line.
    private func take(_ byte: UInt8) -> Bool {
        if isTerminal, isOfSequence(byte) { return false }
        switch byte {
        case 0x0A where isPasting, 0x0D where isPasting: if line.count <= PastedInput.longestLine { line.append(0x0A) }
        case 0x0A: return true
        case 0x0D where isTerminal: return true
        // Backspace and Ctrl-U, and Ctrl-D where there is nothing: what the terminal would do itself.
        case 0x08 where isTerminal, 0x7F where isTerminal: if !line.isEmpty { line.removeLast() }
        case 0x15 where isTerminal: line = []
        case 0x04 where isTerminal: hasEnded = true
        default: if line.count <= PastedInput.longestLine { line.append(byte) }
        }
        return false
    }

    /// Whether it belongs to one of the terminal's marks; any other sequence is dropped.
    private func isOfSequence(_ byte: UInt8) -> Bool {
        guard byte == 0x1B || !escape.isEmpty else { return false }
        escape = byte == 0x1B ? [byte] : escape + [byte]
        if escape == PastedInput.pasteBegins { isPasting = true }
        if escape == PastedInput.pasteEnds { isPasting = false }
        let isWhole = escape.count > 2 && (0x40...0x7E).contains(byte) || escape.count == 2 && byte != UInt8(ascii: "[")
        if isWhole || escape.count > 16 { escape = [] }
        return true
    }

    /// What a clipboard has at its end is not meant.
    private func take() -> Read {
        defer { line = [] }
        return .line(Array(line.prefix(1 + (line.lastIndex { $0 != 0x0A } ?? -1))))
    }
}

// The name of the call is also the name of a method here.
private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    unsafe read(descriptor, buffer, count)
}
