import ChildProcess
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The program with which a person edits, and its first arguments.
struct Editor: Equatable {
    let program: String
    let arguments: [String]

    /// Where root's editors are looked for, whatever PATH says.
    private static let folders = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"]
    /// Where nobody said which.
    private static let usual = ["editor", "nano", "vim", "vi"]

    /// $VISUAL, else $EDITOR, else one that is there. The variable is cut into words at blanks, quotes and backslashes as a shell would, and no
    /// shell sees it.
    static func chosen(_ environment: ProcessEnvironment, asRoot: Bool) throws(PolicyError) -> Editor {
        for name in ["VISUAL", "EDITOR"] {
            guard let text = environment[name], text.utf8.contains(where: { $0 != 0x20 && $0 != 0x09 }) else { continue }
            guard let words = words(Array(text.utf8)), let first = words.first, let program = find(first, environment, asRoot) else {
                throw .noEditor(Text(text))
            }
            return Editor(program: program, arguments: Array(words.dropFirst()))
        }
        for name in usual {
            if let program = find(name, environment, asRoot) { return Editor(program: program, arguments: []) }
        }
        throw .noEditor(nil)
    }

    /// Nil where a quote is not closed.
    static func words(_ text: [UInt8]) -> [String]? {
        var words: [String] = []
        var word: [UInt8]?
        var quote: UInt8?
        var rest = text[...]
        while let byte = rest.popFirst() {
            if byte == quote {
                quote = nil
            } else if byte == UInt8(ascii: "\\"), quote != UInt8(ascii: "'") {
                guard let next = rest.popFirst() else { return nil }
                word = (word ?? []) + [next]
            } else if quote != nil {
                word = (word ?? []) + [byte]
            } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                (quote, word) = (byte, word ?? [])
            } else if byte == 0x20 || byte == 0x09 {
                if let whole = word { words.append(String(decoding: whole, as: UTF8.self)) }
                word = nil
            } else {
                word = (word ?? []) + [byte]
            }
        }
        if quote != nil { return nil }
        if let whole = word { words.append(String(decoding: whole, as: UTF8.self)) }
        return words
    }

    /// An absolute path is taken as it is; a name is looked for in absolute folders only. A path that depends on where one stands is none.
    private static func find(_ name: String, _ environment: ProcessEnvironment, _ asRoot: Bool) -> String? {
        let slash = UInt8(ascii: "/")
        if name.utf8.contains(0) || name.isEmpty { return nil }
        if name.utf8.first == slash { return unsafe access(name, X_OK) == 0 ? name : nil }
        if name.utf8.contains(slash) { return nil }
        let path = (environment["PATH"] ?? "").utf8.split(separator: UInt8(ascii: ":")).map { String(decoding: Array($0), as: UTF8.self) }
        let places = asRoot ? folders : path.filter { $0.utf8.first == slash } + folders
        return places.map { $0 + "/" + name }.first { unsafe access($0, X_OK) == 0 }
    }

    /// - Returns: once it has ended well.
    func edit(_ path: String) throws(PolicyError) {
        let ending: ChildProcess.Ending
        do { ending = try ChildProcess.runInTerminal(program, arguments + [path]) } catch { throw .editor(error.description) }
        switch ending {
        case .exited(0): return
        case .exited(let status): throw .editor("\(Text(program).escaped) ended with status \(status), so nothing is installed")
        case .killed(let signal): throw .editor("\(Text(program).escaped) was ended by signal \(signal), so nothing is installed")
        case .timedOut, .tooMuchOutput: throw .editor("\(Text(program).escaped) did not end well")
        }
    }
}
