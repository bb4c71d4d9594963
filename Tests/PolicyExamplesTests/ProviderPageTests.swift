import Foundation
import TestSupport
import Testing

/// The pages on providers: all of one form, and no fact without its source.
@Suite struct ProviderPageTests {
    static let pages = Document.pages("docs/providers").filter { !$0.hasSuffix("/README.md") }

    static let sections = [
        "What to register", "On laptops", "On servers", "Options worth setting", "What its tokens lack", "Refresh, device, logout",
        "Known traps", "Sources", "Tried here",
    ]
    /// What is said of the provider itself, and not of opk's own settings.
    static let factual: Set = ["What to register", "What its tokens lack", "Refresh, device, logout", "Known traps"]

    private func text(_ page: String) throws -> String {
        try String(contentsOf: SharedData.packageRoot.appendingPathComponent(page), encoding: .utf8)
    }

    /// By heading, in order. A page may have one more section before its sources, for something that is no provider for opk.
    private func sections(_ page: String) throws -> [(name: String, text: String)] {
        try text(page).components(separatedBy: "\n## ").dropFirst().map {
            let parts = $0.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        }
    }

    @Test("there is a page for each of the twelve")
    func complete() {
        let names = [
            "auth0", "authelia", "authentik", "aws", "entra", "gitlab", "glewlwyd", "google", "kanidm", "keycloak", "okta", "zitadel",
        ]
        #expect(ProviderPageTests.pages == names.map { "docs/providers/\($0).md" })
    }

    @Test("a page has the same sections as the others", arguments: pages)
    func skeleton(page: String) throws {
        let names = try sections(page).map(\.name)
        #expect(names.filter(ProviderPageTests.sections.contains) == ProviderPageTests.sections)
        #expect(names.count - ProviderPageTests.sections.count <= 1, "\(names)")
    }

    @Test("a page shows what to write: a command, the client's file, a row of providers, rows of auth_id", arguments: pages)
    func examples(page: String) throws {
        let document = try #require(Document.all.first { $0.name == page })
        let kinds = Set(document.blocks.map(\.kind))
        #expect(kinds.isSuperset(of: [.commands, .clientConfig, .providers, .authID]))
        let commands = document.blocks.flatMap(\.lines).compactMap { Command($0)?.words }
        #expect(commands.contains { $0.starts(with: ["providers", "add"]) })
        #expect(commands.contains { $0.starts(with: ["providers", "test"]) })
    }

    @Test("every fact has its source, was measured here, or is said to be stated nowhere", arguments: pages)
    func sourced(page: String) throws {
        for section in try sections(page) where ProviderPageTests.factual.contains(section.name) {
            for item in ("\n" + section.text).components(separatedBy: "\n- ").dropFirst() {
                let words = item.lowercased()
                let isSourced =
                    item.contains("[S") || words.contains("not stated in the documentation read")
                    || words.contains("measured here") || item.contains("opk-audit(1)")
                #expect(isSourced, "\(page), \(section.name): \(item.prefix(80))")
            }
        }
    }

    @Test("what is cited is in the list of sources with an address, and what is there is cited", arguments: pages)
    func sources(page: String) throws {
        let whole = try text(page)
        let parts = whole.components(separatedBy: "\n## Sources\n")
        #expect(parts.count == 2)
        let cited = Set(parts[0].matches(of: #/\[(S[0-9]+)\]/#).map { String($0.output.1) })
        let listed = parts[1].matches(of: #/(?m)^- \[(S[0-9]+)\] /#).map { String($0.output.1) }
        let defined = parts[1].matches(of: #/(?m)^\[(S[0-9]+)\]: https://\S+$/#).map { String($0.output.1) }
        #expect(cited == Set(listed) && listed == defined, "cited \(cited.sorted()), listed \(listed), with an address \(defined)")
        #expect(parts[1].contains("Read on "))
    }

    @Test("a page says whether the provider was tried, and so does the overview", arguments: pages)
    func tried(page: String) throws {
        let last = try #require(try sections(page).last)
        #expect(last.name == "Tried here" && (last.text.contains("Tried:") != last.text.contains("Not tried")))
        let name = page.components(separatedBy: "/").last ?? page
        let row = try #require(try text("docs/providers/README.md").components(separatedBy: "\n").first { $0.contains("](\(name))") })
        #expect(row.hasSuffix("| **yes** |") == last.text.contains("Tried:") && row.hasSuffix("| no |") == last.text.contains("Not tried"))
    }
}
