import Policy
import Vocabulary

/// The text of the file, to be changed by inserting and taking away whole lines: everything else stays byte for byte.
struct ClientConfigText {
    private(set) var bytes: [UInt8]
    /// Where each line begins, and at last where the text ends.
    private var starts: [Int]

    /// Why a text cannot be changed so.
    struct Obstacle: Error {
        let text: String
    }

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        starts = [0]
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") && index + 1 < bytes.count { starts.append(index + 1) }
        starts.append(bytes.count)
    }

    /// Adds elements to the end of the list `providers`, or the list with the built-in ones and these.
    mutating func append(_ entry: ClientConfigEntry) throws(Obstacle) {
        guard let list = try providers() else {
            let start = bytes.isEmpty || bytes.last == UInt8(ascii: "\n") ? "" : newline
            insert(start + text(["providers:"]) + text(builtIn) + newline + text(entry.lines(indent: 2)), at: bytes.count)
            return
        }
        guard let elements = list.elements else {
            insert(text(builtIn) + newline + text(entry.lines(indent: 2)), at: end(ofLine: list.line))
            return
        }
        let indent = try indentation(of: elements, list.line)
        let last = lastLine(of: list.next - 1, notBefore: elements.last?.line ?? list.line)
        // As the others: with an empty line between, or not.
        let lastDash = try dash(above: elements[elements.count - 1].line, indent)
        let gap = elements.count > 1 && isBlank(line: lastDash - 1) ? newline : ""
        let start = bytes.last == UInt8(ascii: "\n") || last < lineCount ? "" : newline
        insert(start + gap + text(entry.lines(indent: indent)), at: end(ofLine: last))
    }

    /// Takes the element of the list away that begins in that line.
    mutating func removeProvider(beginningAt line: Int) throws(Obstacle) {
        guard let list = try providers(), let elements = list.elements, let index = elements.firstIndex(where: { $0.line == line }) else {
            throw Obstacle(text: "the provider is not found again")
        }
        let indent = try indentation(of: elements, list.line)
        let first = try dash(above: line, indent)
        let next = index + 1 < elements.count ? try dash(above: elements[index + 1].line, indent) : list.next
        var last = lastLine(of: next - 1, notBefore: line)
        // With an empty line that stood between it and the next one.
        if index + 1 < elements.count, isBlank(line: last + 1) { last += 1 }
        bytes.removeSubrange(starts[first - 1]..<end(ofLine: last))
        self = ClientConfigText(bytes)
    }

    mutating func setDefault(_ alias: String) throws(Obstacle) {
        let value = ClientConfigEntry.scalar(Text(alias))
        guard let entry = try entries().first(where: { $0.key == "default_provider" }) else {
            let line = try entries().first(where: { $0.key == "providers" })?.line
            insert(text(["default_provider: \(value)"]), at: line.map { starts[$0 - 1] } ?? bytes.count)
            return
        }
        let range = starts[entry.line - 1]..<end(ofLine: entry.line)
        guard let colon = bytes[range].firstIndex(of: UInt8(ascii: ":")), entry.value.line == entry.line else {
            throw Obstacle(text: "default_provider is written over several lines")
        }
        let rest = bytes[(colon + 1)..<range.upperBound]
        // A comment begins behind a blank; an alias holds none.
        let comment = rest.indices.first { rest[$0] == UInt8(ascii: "#") && isBlank(rest[$0 - 1]) }
        let tail = comment.map { String(decoding: rest[$0...], as: UTF8.self) }
        let kept = tail ?? (rest.last == UInt8(ascii: "\n") ? newline : "")
        let gap = tail == nil ? "" : "  "
        bytes.replaceSubrange((colon + 1)..<range.upperBound, with: Array((" " + value + gap + kept).utf8))
        self = ClientConfigText(bytes)
    }

    // The list, as the reader sees it

    private struct List {
        let line: Int
        /// Nil where the value is empty.
        let elements: [YAMLNode]?
        /// The line of the key behind it, or the one behind the last.
        let next: Int
    }

    private func entries() throws(Obstacle) -> [YAMLNode.Entry] {
        do throws(ClientConfigFile.Fault) {
            guard case .mapping(let entries)? = try ClientConfigFile.yaml(bytes)?.content else { return [] }
            return entries
        } catch {
            throw Obstacle(text: error.text)
        }
    }

    /// Nil where the file has no such key.
    private func providers() throws(Obstacle) -> List? {
        let entries = try entries()
        guard let entry = entries.first(where: { $0.key == "providers" }) else { return nil }
        let next = entries.map(\.line).filter { $0 > entry.line }.min() ?? lineCount + 1
        guard case .sequence(let elements) = entry.value.content else { return List(line: entry.line, elements: nil, next: next) }
        return List(line: entry.line, elements: elements, next: next)
    }

    // Lines, counted from 1

    private var lineCount: Int { starts.count - 1 }

    private func end(ofLine line: Int) -> Int { line < lineCount ? starts[line] : bytes.count }

    private func content(ofLine line: Int) -> ArraySlice<UInt8> {
        guard (1...lineCount).contains(line) else { return [] }
        return bytes[starts[line - 1]..<end(ofLine: line)].filter { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }[...]
    }

    private func isBlank(line: Int) -> Bool { line >= 1 && line <= lineCount && content(ofLine: line).allSatisfy(isBlank) }

    private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    /// The last line up to `line` that is more than a comment or blanks.
    private func lastLine(of line: Int, notBefore first: Int) -> Int {
        var line = line
        while line > first {
            let content = content(ofLine: line).drop(while: isBlank)
            if let byte = content.first, byte != UInt8(ascii: "#"), !content.elementsEqual("...".utf8) { break }
            line -= 1
        }
        return line
    }

    /// The blanks before the first element's `-`.
    private func indentation(of elements: [YAMLNode], _ line: Int) throws(Obstacle) -> Int {
        guard let first = elements.first else { throw Obstacle(text: "its list of providers is empty") }
        var candidate = first.line
        while candidate > line {
            let content = content(ofLine: candidate)
            let blanks = content.prefix { $0 == 0x20 }.count
            if content.dropFirst(blanks).first == UInt8(ascii: "-") { return blanks }
            candidate -= 1
        }
        throw Obstacle(text: "its list of providers is not written with a line beginning with - for each")
    }

    /// The line of the `-` of the element that begins in `line`.
    private func dash(above line: Int, _ indent: Int) throws(Obstacle) -> Int {
        var candidate = line
        while candidate > 0 {
            let content = content(ofLine: candidate)
            if content.prefix(while: { $0 == 0x20 }).count == indent, content.dropFirst(indent).first == UInt8(ascii: "-") {
                return candidate
            }
            candidate -= 1
        }
        throw Obstacle(text: "its list of providers is not written with a line beginning with - for each")
    }

    // Writing

    /// What the file ends its lines with.
    private var newline: String {
        guard let index = bytes.firstIndex(of: UInt8(ascii: "\n")), index > 0, bytes[index - 1] == UInt8(ascii: "\r") else { return "\n" }
        return "\r\n"
    }

    private var builtIn: [String] {
        ClientConfigDefault.providers.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    private func text(_ lines: [String]) -> String { lines.map { $0 + newline }.joined() }

    private mutating func insert(_ text: String, at index: Int) {
        bytes.insert(contentsOf: Array(text.utf8), at: index)
        self = ClientConfigText(bytes)
    }
}
