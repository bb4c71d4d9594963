import Foundation
import Policy
import TestSupport
import Testing
import Vocabulary

@testable import Login

/// Every example of a policy file, wherever it is shown, read by the reader that opk-verify has.
@Suite struct FileExampleTests {
    /// What the specification cuts short.
    private func bytes(_ block: Document.Block) -> [UInt8] {
        let digest = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
        return Array(block.lines.joined(separator: "\n").replacingOccurrences(of: "SHA256:4sk…", with: "SHA256:" + digest).utf8)
    }

    private func check(_ document: Document, _ kind: ExampleKind, _ read: (Document.Block) -> Void) -> Int {
        let blocks = document.blocks.filter { $0.kind == kind }
        for block in blocks { read(block) }
        return blocks.count
    }

    /// What is wrong, as a line of the document.
    private func places(_ problems: [RowProblem], in document: Document, _ block: Document.Block) -> [String] {
        problems.map { "\(document), line \(block.line + $0.line - 1): \($0.text)" }
    }

    @Test("every example row of auth_id is good, and every one that is shown as bad is bad", arguments: Document.all)
    func authID(document: Document) {
        _ = check(document, .authID) { block in
            let file = AuthID(parsing: bytes(block))
            if block.isBad {
                #expect(file.rows.isEmpty, "\(document), block of line \(block.line): \(file.rows.map(\.line)) are good")
                #expect(file.problems.count == block.content.count)
            } else {
                #expect(places(file.problems, in: document, block) == [])
                #expect(file.rows.count == block.content.count)
            }
        }
    }

    @Test("every example row of providers is good, and every one that is shown as bad is bad", arguments: Document.all)
    func providers(document: Document) {
        _ = check(document, .providers) { block in
            let file = Providers(parsing: bytes(block))
            if block.isBad {
                #expect(file.rows.isEmpty, "\(document), block of line \(block.line): \(file.rows.map(\.line)) are good")
                #expect(file.problems.count == block.content.count)
            } else {
                #expect(places(file.problems, in: document, block) == [])
                #expect(file.rows.count == block.content.count)
            }
        }
    }

    @Test("every example row of revoked is good, and of those that are shown as bad each refuses everybody", arguments: Document.all)
    func revoked(document: Document) throws {
        _ = check(document, .revoked) { block in
            if block.isBad {
                for line in block.content {
                    #expect(throws: ConfigurationError.self, "\(document): \(line)") { try Revocations(parsing: Array(line.utf8)) }
                }
            } else {
                do {
                    #expect(try Revocations(parsing: bytes(block)).rows.count == block.content.count)
                } catch { Issue.record("\(document), block of line \(block.line): \(error)") }
            }
        }
    }

    @Test("every example of config.yml is read, and every one that is shown as an error is one", arguments: Document.all)
    func config(document: Document) {
        _ = check(document, .config) { block in
            do {
                let config = try ServerConfig(parsing: bytes(block))
                #expect(!block.isBad, "\(document), block of line \(block.line) is no error")
                #expect(config != ServerConfig())
            } catch { #expect(block.isBad, "\(document), block of line \(block.line): \(error)") }
        }
    }

    @Test("every example of a person's ~/.opk/config.yml is read", arguments: Document.all)
    func clientConfig(document: Document) {
        _ = check(document, .clientConfig) { block in
            do throws(ClientConfigFile.Fault) {
                let file = try ClientConfigFile(parsing: bytes(block))
                #expect(file.providers?.isEmpty == false, "\(document), block of line \(block.line): no providers")
            } catch { Issue.record("\(document), line \(block.line + error.line - 1): \(error.text)") }
        }
    }

    @Test("an example of a plugin is one that would be asked", arguments: Document.all)
    func plugin(document: Document) {
        _ = check(document, .plugin) { block in
            do {
                _ = try Plugin(file: "example.yml", parsing: bytes(block))
                #expect(!block.isBad)
            } catch { #expect(block.isBad, "\(document), block of line \(block.line): \(error)") }
        }
    }

    @Test(
        "the pages that are about a file have examples of it, and nothing that is none",
        arguments: [
            ("docs/man/auth_id.5", ExampleKind.authID, 7), ("docs/man/providers.5", .providers, 4), ("docs/man/opk-revoked.5", .revoked, 3),
            ("docs/man/opk-config.5", .config, 5), ("policy/auth_id", .authID, 1), ("policy/providers", .providers, 1),
            ("policy/revoked", .revoked, 1), ("policy/config.yml", .config, 1),
        ])
    func places(name: String, kind: ExampleKind, count: Int) throws {
        let document = try #require(Document.all.first { $0.name == name })
        #expect(document.blocks.filter { $0.kind == kind }.count >= count, "\(document.blocks.map { "\($0.line) \($0.kind)" })")
        for block in document.blocks where !block.isBad && block.kind == .other && !block.content.joined().contains("HH:MM") {
            Issue.record("\(document), line \(block.line): nobody knows what this is an example of")
        }
    }

    @Test("the specification's examples are found", .enabled(if: Document.isSpecificationThere, "POLICY.md is not beside the checkout"))
    func specification() throws {
        let document = try #require(Document.specification.first)
        #expect(document.blocks.map(\.kind) == [.providers, .authID, .config, .revoked])
    }

    @Test("the README shows a row of providers, rows of auth_id with options, and commands")
    func readme() throws {
        let document = try #require(Document.all.first { $0.name == "README.md" })
        #expect(document.blocks.contains { $0.kind == .providers } && document.blocks.filter { $0.kind == .authID }.count >= 2)
        #expect(document.blocks.contains { $0.kind == .commands })
    }
}
