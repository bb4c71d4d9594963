import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The lines of sshd's configuration that concern us, as they stand in its files, Include followed as sshd follows it: sshd takes the first value
/// that it reads, and `sshd -T` does not say where that stands, nor what a Match block does.
package struct SSHDFiles {
    package struct Line: Hashable, Sendable {
        package let file: String
        /// Counted from 1.
        package let number: Int
        /// In lower case.
        package let keyword: String
        package let value: String
        /// The words behind Match; nil outside of such a block.
        package let match: String?
    }

    package private(set) var lines: [Line] = []
    /// Whether there is any Match block at all.
    private(set) var hasMatch = false

    package static let defaultFile = "/etc/ssh/sshd_config"
    /// As deep as sshd goes.
    private static let deepest = 16
    private static let mostFiles = 1000
    private var files = 0

    package init(_ file: String = SSHDFiles.defaultFile) {
        read(file, match: nil, depth: 0)
    }

    /// Lines with that keyword, those outside of Match blocks first.
    package func all(_ keyword: String) -> [Line] {
        lines.filter { $0.keyword == keyword && $0.match == nil } + lines.filter { $0.keyword == keyword && $0.match != nil }
    }

    private mutating func read(_ file: String, match outer: String?, depth: Int) {
        guard depth <= SSHDFiles.deepest, files < SSHDFiles.mostFiles, let bytes = plainFile(file, limit: 4 << 20) else { return }
        files += 1
        var match = outer
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            guard let (keyword, value) = SSHDFiles.parts(line) else { continue }
            switch keyword {
            case "match":
                hasMatch = true
                match = [outer, Text(value).equalsIgnoringASCIICase("all") ? nil : value].compactMap { $0 }.joined(separator: ", and ")
                if match == "" { match = nil }
            case "include":
                for pattern in SSHDFiles.words(value) {
                    for path in SSHDFiles.expand(pattern.hasPrefix("/") ? pattern : "/etc/ssh/" + pattern) {
                        read(path, match: match, depth: depth + 1)
                    }
                }
            default: lines.append(Line(file: file, number: index + 1, keyword: keyword, value: value, match: match))
            }
        }
    }

    /// `Keyword value`, `Keyword=value`, `Keyword "value"`; nil for a comment or nothing.
    package static func parts(_ line: ArraySlice<UInt8>) -> (String, String)? {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0C }
        var rest = line.drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest.removeLast() }
        guard let first = rest.first, first != UInt8(ascii: "#") else { return nil }
        let keyword = rest.prefix { !isBlank($0) && $0 != UInt8(ascii: "=") }
        rest = rest[keyword.endIndex...].drop(while: isBlank)
        if rest.first == UInt8(ascii: "=") { rest = rest.dropFirst().drop(while: isBlank) }
        return (Text(String(decoding: keyword, as: UTF8.self)).lowercasedASCII.string, String(decoding: rest, as: UTF8.self))
    }

    /// Cut at blanks, double quotes taken off.
    package static func words(_ value: String) -> [String] {
        var words: [String] = []
        var word = ""
        var (isQuoted, isBegun) = (false, false)
        for character in value {
            switch character {
            case "\"":
                isQuoted.toggle()
                isBegun = true
            case " ",
                "\t" where !isQuoted:
                if isQuoted { word.append(character) } else if isBegun { words.append(word); (word, isBegun) = ("", false) }
            case "#" where !isQuoted && !isBegun: return words
            default:
                word.append(character)
                isBegun = true
            }
        }
        return isBegun ? words + [word] : words
    }

    /// The files that a pattern names, sorted, as glob(3) has them.
    package static func expand(_ pattern: String) -> [String] {
        guard !pattern.utf8.contains(0) else { return [] }
        var found = unsafe glob_t()
        defer { unsafe globfree(&found) }
        guard unsafe glob(pattern, 0, nil, &found) == 0 else { return [] }
        // The system's own array of that many strings, which lives until globfree.
        return unsafe (0..<Int(found.gl_pathc)).compactMap { index in
            unsafe found.gl_pathv[index].map { unsafe String(cString: $0) }
        }
    }
}

/// A file of another program's, of which nothing is believed but what it says; nil where it cannot be read or is longer.
func plainFile(_ path: String, limit: Int) -> [UInt8]? {
    guard FileFacts(path, following: true)?.kind == .file else { return nil }
    return try? BoundedInput.read(path, limit: limit)
}
