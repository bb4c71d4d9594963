import ArgumentParser
import Foundation
import PolicyAdministration
import TestSupport
import Testing
import Vocabulary

@testable import opk

/// Every `opk …` that a manual page, the README, another document or a command's own help shows is one that opk takes.
@Suite struct CommandExampleTests {
    static let lines: [Shown] = Document.all.flatMap { document in
        document.blocks.flatMap { block in
            block.numberedLines.compactMap { number, line in
                Command(line).map { Shown(command: $0, place: "\(document), line \(number)") }
            }
        }
    }
    static let spans: [Shown] = Document.all.flatMap { document in
        document.spans.compactMap { span in Command(span).map { Shown(command: $0, place: document.name) } }
    }

    struct Shown: CustomStringConvertible, Sendable {
        let command: Command
        let place: String
        var description: String { "\(place): \(command)" }
    }

    @Test("what is set off as an example can be typed so", arguments: lines)
    func example(shown: Shown) { parse(shown, isTried: true) }

    @Test("what is mentioned in a sentence can be typed so, or is a command's name", arguments: spans)
    func mentioned(shown: Shown) {
        if CommandExampleTests.isName(shown.command.words, of: Opk.self) { return }
        parse(shown)
    }

    @Test("what a command's own help shows can be typed so", arguments: help(of: Opk.self))
    func helped(shown: Shown) { parse(shown) }

    @Test("there are examples")
    func complete() {
        #expect(CommandExampleTests.lines.count > 20 && CommandExampleTests.spans.count > 5)
    }

    private func parse(_ shown: Shown, isTried: Bool = false) {
        do {
            let command = try Opk.parseAsRoot(shown.command.words)
            if isTried, let add = command as? AddCommand { try tryOut(add) }
        } catch {
            // --help and --version end so.
            if Opk.exitCode(for: error) != .success { Issue.record("\(shown): \(Opk.message(for: error))") }
        }
    }

    /// What `opk add --dry-run` does where there is no policy yet: the row is made, and read back.
    private func tryOut(_ add: AddCommand) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("opk-example-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        defer { try? FileManager.default.removeItem(at: folder) }
        let request = RowRequest(
            account: Text(add.account), who: Text(add.who), issuer: try KnownIssuer.named(Text(add.issuer)),
            options: try add.limits.options(now: .now()))
        let outcome = try AddRow(request, in: try PolicyPlace(configFolder: folder.path), replaces: add.replace).run(isTrial: true)
        #expect(outcome.isNew)
    }

    /// `opk keys export`, without what it needs.
    private static func isName(_ words: [String], of command: any ParsableCommand.Type) -> Bool {
        guard let first = words.first else { return true }
        let next = command.configuration.subcommands.first { $0.configuration.commandName == first }
        return next.map { isName(Array(words.dropFirst()), of: $0) } ?? false
    }

    private static func help(of command: any ParsableCommand.Type) -> [Shown] {
        let lines = command.configuration.discussion.split(separator: "\n").map(String.init)
        let own = lines.filter { $0.hasPrefix("  ") }.compactMap { line in
            // A few words about it may follow behind several blanks.
            Command(line.trimmingPrefix(while: { $0 == " " }).split(separator: "  ").first.map(String.init) ?? "").map {
                Shown(command: $0, place: "opk \(command.configuration.commandName ?? "")")
            }
        }
        return own + command.configuration.subcommands.flatMap { help(of: $0) }
    }
}
