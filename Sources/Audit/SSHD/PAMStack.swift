import Vocabulary

/// What PAM does for a service, as its file says it (pam.d(5)), those included that it names.
package struct PAMStack {
    package struct Line: Hashable, Sendable {
        package let file: String
        /// Counted from 1; of the first, where a line goes on.
        package let number: Int
        /// `auth`, `account`, `password` or `session`.
        let kind: String
        /// Without its folder.
        let module: String
        let arguments: [String]

        /// Whether variables come from a file in the user's home from here on: pam_env(8). In `auth` it does so when credentials are set, which sshd has done
        /// before it opens the session.
        var letsUserIn: Bool {
            guard module == "pam_env.so", kind == "session" || kind == "auth" else { return false }
            return arguments.last { $0.hasPrefix("user_readenv=") }.map { $0 != "user_readenv=0" } ?? false
        }
    }

    /// A line that runs opk-session.
    package struct Call: Sendable {
        package let line: Line
        /// Runs it at the beginning alone: at the end the user's variables are there, wherever the line stands.
        package let isAtOpenOnly: Bool
        /// What comes before it, and lets the user's variables in.
        package let leak: Line?

        package var isSafe: Bool { isAtOpenOnly && leak == nil }
    }

    package private(set) var lines: [Line] = []

    /// Files that are included lie beside it, or are the distribution's.
    private static let vendor = "/usr/lib/pam.d"
    private static let deepest = 16
    private static let mostLines = 10_000

    package init(_ file: String) { read(file, only: nil, depth: 0) }

    package var sessionCalls: [Call] {
        let early = lines.first { $0.kind == "auth" && $0.letsUserIn }
        let session = lines.filter { $0.kind == "session" }
        return session.enumerated().filter { $0.element.module == "pam_exec.so" }.compactMap { index, line in
            guard let program = line.arguments.firstIndex(where: { $0.hasPrefix("/") }), line.arguments[program].hasSuffix("/opk-session")
            else { return nil }
            return Call(
                line: line, isAtOpenOnly: line.arguments[..<program].last { $0.hasPrefix("type=") } == "type=open_session",
                leak: early ?? session[..<index].first(where: \.letsUserIn))
        }
    }

    private mutating func read(_ file: String, only kind: String?, depth: Int) {
        guard depth <= PAMStack.deepest, let bytes = plainFile(file, limit: 1 << 20) else { return }
        var (rest, first) = ("", 0)
        for (index, bytes) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            if rest.isEmpty { first = index + 1 }
            rest += String(decoding: bytes, as: UTF8.self)
            if rest.hasSuffix("\\") {
                rest = rest.dropLast() + " "
                continue
            }
            take(PAMStack.words(rest), file, first, only: kind, depth)
            rest = ""
        }
    }

    private mutating func take(_ words: [String], _ file: String, _ number: Int, only kind: String?, _ depth: Int) {
        guard let first = words.first, lines.count < PAMStack.mostLines else { return }
        if first == "@include" {
            if words.count > 1 { include(words[1], from: file, only: kind, depth) }
            return
        }
        let type = Text(first.hasPrefix("-") ? String(first.dropFirst()) : first).lowercasedASCII.string
        guard words.count > 2, kind == nil || kind == type else { return }
        if words[1] == "include" || words[1] == "substack" {
            include(words[2], from: file, only: type, depth)
        } else {
            let module = words[2].split(separator: "/").last.map(String.init) ?? words[2]
            lines.append(Line(file: file, number: number, kind: type, module: module, arguments: Array(words.dropFirst(3))))
        }
    }

    private mutating func include(_ name: String, from file: String, only kind: String?, _ depth: Int) {
        let beside = (foldersAbove(file).first ?? "/etc/pam.d") + "/" + name
        let path = name.hasPrefix("/") ? name : FileFacts(beside, following: true) != nil ? beside : PAMStack.vendor + "/" + name
        read(path, only: kind, depth: depth + 1)
    }

    /// Cut at blanks; what is in brackets is one word, without them; up to a `#`.
    private static func words(_ line: String) -> [String] {
        var (words, word, depth) = ([String](), "", 0)
        for character in line {
            switch character {
            case "[" where depth == 0 && word.isEmpty: depth = 1
            case "]" where depth == 1: depth = 0
            case " ", "\t", "\r":
                if depth == 1 { word.append(character) } else if !word.isEmpty { words.append(word); word = "" }
            case "#" where depth == 0: return word.isEmpty ? words : words + [word]
            default: word.append(character)
            }
        }
        return word.isEmpty ? words : words + [word]
    }
}
