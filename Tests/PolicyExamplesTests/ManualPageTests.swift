import ChildProcess
import Foundation
import TestSupport
import Testing

/// The manual pages as the two programs that show them see them.
@Suite struct ManualPageTests {
    static let pages = Document.names("docs/man")
    static let groff = "/usr/bin/groff"
    static let mandoc = "/usr/bin/mandoc"

    @Test(
        "a page renders without a warning (groff -ww)",
        .enabled(if: FileManager.default.isExecutableFile(atPath: groff), "groff is not here"), arguments: pages)
    func rendered(page: String) throws {
        let outcome = try ChildProcess.run(
            ManualPageTests.groff, ["-ww", "-man", "-Tutf8", "-z", ManualPageTests.path(page)], environment: .inherited(),
            outputLimit: 1 << 20,
            errorOutput: .captured(limit: 4000), deadline: 30_000)
        #expect(outcome.succeeded && outcome.errorOutput.isEmpty, "\(String(decoding: outcome.errorOutput, as: UTF8.self))")
    }

    @Test(
        "a page is proper mdoc (mandoc -T lint)",
        .enabled(if: FileManager.default.isExecutableFile(atPath: mandoc), "mandoc is not here (.ci/install-packages test)"),
        arguments: pages)
    func linted(page: String) throws {
        let outcome = try ChildProcess.run(
            ManualPageTests.mandoc, ["-T", "lint", "-W", "warning", ManualPageTests.path(page)], environment: .inherited(),
            outputLimit: 1 << 20,
            errorOutput: .captured(limit: 4000), deadline: 30_000)
        #expect(outcome.succeeded && outcome.output.isEmpty, "\(String(decoding: outcome.output, as: UTF8.self))")
    }

    @Test("a page that another one refers to is there, if it is one of ours")
    func references() throws {
        for page in ManualPageTests.pages {
            let text = try String(contentsOfFile: ManualPageTests.path(page), encoding: .utf8)
            for line in text.split(separator: "\n")
            where line.hasPrefix(".Xr opk") || line.hasPrefix(".Xr auth_id") || line.hasPrefix(".Xr providers") {
                let words = line.split(separator: " ")
                let name = "\(words[1]).\(words[2])"
                #expect(ManualPageTests.pages.contains(name), "\(page) refers to \(name)")
            }
        }
    }

    private static func path(_ page: String) -> String {
        SharedData.packageRoot.appendingPathComponent("docs/man").appendingPathComponent(page).path
    }
}
