import ChildProcess
import Foundation
import Testing
import Vocabulary

@testable import Policy

/// sshd's own answer: `sshd -T` prints the settings of the `Match Address` blocks that hold for an address, which are compared by the function that
/// compares `from="…"` too.
@Suite("Where a login may come from, as this machine's sshd sees it")
struct SourceListDifferentialTests {
    static let sshd = "/usr/sbin/sshd"
    static let isHere: Bool =
        FileManager.default.isExecutableFile(atPath: sshd) && FileManager.default.isExecutableFile(atPath: "/usr/bin/ssh-keygen")

    @Test("each list that we write admits the addresses that sshd lets it admit", .enabled(if: isHere))
    func lists() throws {
        let folder = try Folder()
        var random = SystemRandomNumberGenerator()
        var lists: [SourceList] = []
        while lists.count < 250 { lists.append(try RandomSources.list(&random)) }
        let blocks = lists.enumerated().map { "Match Address \"\($1)\"\n  AcceptEnv L\($0)\n" }.joined()
        try folder.write("config", "HostKey \(folder.path)/key\n" + blocks)
        var admitted = 0
        var unknown = 0
        for text in RandomSources.addresses {
            let address = try #require(NetworkAddress(Text(text)))
            let theirs = try folder.holding(for: "\(address)")
            for (index, list) in lists.enumerated() {
                let ours = list.admits(address)
                let holds = theirs.contains("acceptenv L\(index)")
                #expect(ours == nil || ours == holds, "\(list) of \(address): \(holds)")
                if ours == nil { unknown += 1 }
                if holds { admitted += 1 }
            }
        }
        #expect(admitted > 500 && unknown < lists.count * RandomSources.addresses.count / 2)
    }

    @Test(
        "a block with a bit behind its prefix makes sshd refuse the whole list, and us the row", .enabled(if: isHere),
        arguments: ["10.0.0.1/8", "10.0.0.0/33", "2001:db8::1/32"])
    func inconsistent(entry: String) throws {
        let folder = try Folder()
        try folder.write("config", "HostKey \(folder.path)/key\nMatch Address \"\(entry)\"\n  AcceptEnv L\n")
        #expect(throws: (any Error).self) { try folder.holding(for: "192.0.2.1") }
        #expect(throws: RowFault.self) { try SourceList(Text(entry)) }
    }

    private final class Folder {
        let path = "/tmp/opk-from-" + UUID().uuidString.prefix(8)

        init() throws {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            let made = try run("/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path + "/key"])
            #expect(made.succeeded)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ name: String, _ text: String) throws { try text.write(toFile: path + "/" + name, atomically: false, encoding: .utf8) }

        /// The settings that hold, one a line.
        func holding(for address: String) throws -> Set<String> {
            let connection = "user=root,host=\(address),addr=\(address),laddr=127.0.0.1,lport=22"
            let outcome = try run(SourceListDifferentialTests.sshd, ["-T", "-f", path + "/config", "-C", connection])
            guard outcome.succeeded else { throw CocoaError(.fileReadUnknown) }
            return Set(String(decoding: outcome.output, as: UTF8.self).split(separator: "\n").map(String.init))
        }

        private func run(_ program: String, _ arguments: [String]) throws -> ChildProcess.Outcome {
            try ChildProcess.run(program, arguments, environment: .empty, deadline: 20_000)
        }
    }
}
