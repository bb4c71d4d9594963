import Foundation
import TestSupport

/// The examples of one document: of a manual page what is set off as literal (`.Bd -literal`, `.Dl`), of Markdown what is fenced or indented by four,
/// of a sample in `policy/` all of it once the `#` is taken from what is an example.
struct Document: CustomStringConvertible, Sendable {
    let name: String
    let blocks: [Block]
    /// What stands between single backquotes.
    var spans: [String] = []

    var description: String { name }

    struct Block: Sendable {
        /// Of its first line in the document, counted from 1.
        let line: Int
        let lines: [String]

        /// With the numbers that they have in the document, and those joined that a backslash continues.
        var numberedLines: [(number: Int, line: String)] {
            var out: [(number: Int, line: String)] = []
            var isContinued = false
            for (index, line) in lines.enumerated() {
                let part = line.hasSuffix(" \\") ? String(line.dropLast()) : line
                if isContinued { out[out.count - 1].line += part } else { out.append((self.line + index, part)) }
                isContinued = part != line
            }
            return out
        }
    }

    /// All that has examples of policy; `shared` is the specification beside the checkout, where it is.
    static let all: [Document] = manuals + texts + samples + specification

    static let manuals: [Document] = names("docs/man").map { Document(manual: "docs/man/" + $0) }
    static let texts: [Document] =
        (["README.md", "CONTRIBUTING.md"] + pages("docs") + pages("docs/providers") + pages("packaging/ansible"))
        .map { Document(markdown: $0, in: SharedData.packageRoot) }
    static let samples: [Document] = names("policy").map { Document(sample: "policy/" + $0) }
    static let specification: [Document] = isSpecificationThere ? [Document(markdown: "POLICY.md", in: SharedData.root)] : []

    static var isSpecificationThere: Bool {
        FileManager.default.fileExists(atPath: SharedData.root.appendingPathComponent("POLICY.md").path)
    }

    /// The Markdown in a folder, by its path below the package.
    static func pages(_ folder: String) -> [String] { names(folder).filter { $0.hasSuffix(".md") }.map { "\(folder)/\($0)" } }

    static func names(_ folder: String) -> [String] {
        let path = SharedData.packageRoot.appendingPathComponent(folder).path
        return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter { $0.contains(".") || folder == "policy" }
            .sorted()
    }

    private static func text(_ path: String, in root: URL = SharedData.packageRoot) -> [String] {
        let text = (try? String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)) ?? ""
        return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    init(manual path: String) {
        name = path
        var blocks: [Block] = []
        var open: (line: Int, lines: [String])?
        for (index, line) in Document.text(path).enumerated() {
            if line.hasPrefix(".Bd -literal") {
                open = (index + 2, [])
            } else if line == ".Ed" {
                if let done = open { blocks.append(Block(line: done.line, lines: done.lines)) }
                open = nil
            } else if line.hasPrefix(".Dl ") {
                blocks.append(Block(line: index + 1, lines: [Document.unescaped(String(line.dropFirst(4)))]))
            } else {
                open?.lines.append(Document.unescaped(line))
            }
        }
        self.blocks = blocks
    }

    /// The escapes of roff that a literal text has.
    private static func unescaped(_ line: String) -> String {
        line.replacingOccurrences(of: "\\&", with: "").replacingOccurrences(of: "\\(dq", with: "\"")
            .replacingOccurrences(of: "\\-", with: "-").replacingOccurrences(of: "\\e", with: "\\")
    }

    init(markdown path: String, in root: URL) {
        name = path
        var blocks: [Block] = []
        var open: (line: Int, lines: [String])?
        var isFenced = false
        for (index, line) in Document.text(path, in: root).enumerated() {
            if line.hasPrefix("```") {
                isFenced.toggle()
                if isFenced {
                    open = (index + 2, [])
                    continue
                }
            } else if isFenced {
                open?.lines.append(line)
                continue
            } else if line.hasPrefix("    ") {
                if open == nil { open = (index + 1, []) }
                open?.lines.append(String(line.dropFirst(4)))
                continue
            }
            if let done = open { blocks.append(Block(line: done.line, lines: done.lines)) }
            open = nil
            for (number, span) in line.split(separator: "`", omittingEmptySubsequences: false).enumerated() where !number.isMultiple(of: 2)
            {
                spans.append(String(span))
            }
        }
        if let done = open { blocks.append(Block(line: done.line, lines: done.lines)) }
        self.blocks = blocks
    }

    init(sample path: String) {
        name = path
        let lines = Document.text(path).map { $0.hasPrefix("#") && $0 != "#" && !$0.hasPrefix("# ") ? String($0.dropFirst()) : $0 }
        blocks = [Block(line: 1, lines: lines)]
    }
}
