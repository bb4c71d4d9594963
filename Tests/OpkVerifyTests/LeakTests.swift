import Foundation
import MintingKit
import SSHKeys
import TestSupport
import Testing
import Vocabulary

/// What is asked of the programs that look on: valgrind and strace, which a machine need not have or allow.
private enum Onlooker {
    static let valgrind = works("valgrind -q /bin/true")
    static let strace = works("strace -qq -o /dev/null -e trace=none /bin/true")
    static let strip = works("command -v strip")

    private static func works(_ script: String) -> Bool { (try? Program.shell(script + " >/dev/null 2>&1"))?.status == 0 }
}

@Suite("opk-verify: no thread, and nothing lost", .serialized)
struct LeakTests {
    let doorway: Doorway
    let login: MintedLogin

    init() throws {
        doorway = try Doorway()
        login = try doorway.login()
    }

    /// How a login is made to end, and what then stands first on the terminal.
    enum Way: String, CaseIterable, CustomStringConvertible {
        case admitted, refused
        /// Admitted with keys that opk-fetch had to get.
        case fetched
        /// Another key's business.
        case notOurs
        /// Refused for bytes that are no certificate.
        case malformed

        var description: String { rawValue }
    }

    /// The words for sshd's question, and whether it must be answered with a line.
    private func question(_ way: Way) throws -> (words: [[UInt8]], isAdmitted: Bool) {
        if way != .fetched { try doorway.keep(login.keys) } else { doorway.serve(login.keys) }
        var words = try doorway.words(login, as: way == .refused ? "root" : "guest")
        let (key, type) = (words.count - 2, words.count - 1)
        switch way {
        case .notOurs:
            words[key] = Array(Base64.encode(TestKeys.ed25519.publicKey.sshBlob).utf8)
            words[type] = Array("ssh-ed25519".utf8)
        case .malformed: words[key] = Array(Base64.encode(try login.certificate().dropLast(3)).utf8)
        case .admitted, .refused, .fetched: break
        }
        return (words, way == .admitted || way == .fetched)
    }

    /// Runs opk-verify under an onlooker, which writes to a file of its own, and returns what it wrote.
    private func look(_ onlooker: [String], _ program: String, _ way: Way) throws -> String {
        let (words, isAdmitted) = try question(way)
        let report = doorway.folder + "/report"
        let command = onlooker.map { $0.replacing("REPORT", with: report) }
        let path = try Program.shell("command -v \"$1\"", command[0]).output.split(separator: "\n").first.map(String.init)
        let arguments = command.dropFirst().map { Array($0.utf8) } + [Array(program.utf8)] + words
        let run = try Program.run(try #require(path), arguments, environment: Doorway.environment, patience: 120)
        #expect(run.output.hasPrefix("cert-authority,") == isAdmitted && run.output.isEmpty == !isAdmitted, "\(way): \(run)")
        #expect(run.status == (isAdmitted || way == .notOurs ? 0 : 1), "\(way): \(run)")
        return String(decoding: try Data(contentsOf: URL(fileURLWithPath: report)), as: UTF8.self)
    }

    /// A copy without debugging information, which valgrind may not be able to read, beside opk-fetch.
    private func stripped() throws -> String {
        let folder = doorway.folder + "/libexec"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        try FileManager.default.copyItem(
            atPath: BuiltPrograms.path("opk-fetch"), toPath: folder + "/opk-fetch")
        let run = try Program.shell("exec strip --strip-debug -o \"$2\" \"$1\"", Program.verify, folder + "/opk-verify")
        #expect(run.status == 0, "\(run)")
        return folder + "/opk-verify"
    }

    @Test(
        "However it ends, no memory is lost, none is used that was not written or is not there",
        .enabled(if: Onlooker.valgrind && Onlooker.strip, "valgrind or binutils is not here"), arguments: Way.allCases)
    func memory(_ way: Way) throws {
        let valgrind = [
            "valgrind", "--log-file=REPORT", "--child-silent-after-fork=yes", "--leak-check=full", "--show-leak-kinds=definite,indirect",
        ]
        let report = try look(valgrind + ["--errors-for-leak-kinds=definite,indirect"], try stripped(), way)
        #expect(report.contains("HEAP SUMMARY:"), "\(report)")
        #expect(report.contains("definitely lost: 0 bytes in 0 blocks") || report.contains("no leaks are possible"), "\(report)")
        #expect(report.contains("ERROR SUMMARY: 0 errors"), "\(report)")
    }

    @Test(
        "However it ends, it has one thread from the first moment to the last, and starts no process but its broker, and that only for a certificate",
        .enabled(if: Onlooker.strace, "strace is not here, or may not trace"), arguments: Way.allCases)
    func threads(_ way: Way) throws {
        let strace = ["strace", "-qq", "-o", "REPORT", "-e", "trace=clone,clone3,fork,vfork"]
        let lines = try look(strace, Program.verify, way).split(separator: "\n").filter { $0.contains("(") }
        #expect(lines.allSatisfy { !$0.contains("CLONE_THREAD") }, "\(lines)")
        #expect(lines.count == (way == .notOurs ? 0 : 1), "\(lines)")
    }
}
