import ChildProcess
import Glibc
import Testing

@testable import AuditTrail

@Suite struct ConnectionIDTests {
    @Test func `it is 10 letters that say the same each time they are asked`() throws {
        let id = try #require(ConnectionID.ofParent())
        #expect(id.utf8.count == 10)
        #expect(id.utf8.allSatisfy { "abcdefghijkmnpqrstuvwxyz23456789".utf8.contains($0) })
        #expect(ConnectionID.ofParent() == id)
        #expect(ConnectionID.of(process: getppid()) == id)
    }

    @Test func `another process, another start, another boot: another id`() {
        let boot = Array("b8f1".utf8)
        let id = ConnectionID.of(boot: boot, process: 4711, start: Array("100".utf8))
        #expect(ConnectionID.of(boot: boot, process: 4712, start: Array("100".utf8)) != id)
        #expect(ConnectionID.of(boot: boot, process: 4711, start: Array("101".utf8)) != id)
        #expect(ConnectionID.of(boot: Array("b8f2".utf8), process: 4711, start: Array("100".utf8)) != id)
        // What is where counts: 47 and 11100 are not 4711 and 100.
        #expect(ConnectionID.of(boot: boot, process: 47, start: Array("11100".utf8)) != id)
        // Fixed for all time: programs of different versions must agree while a session lasts.
        #expect(id == "5a2esgj4pi")
        #expect(ConnectionID.of(process: getpid()) != ConnectionID.ofParent())
    }

    @Test func `of 100000 connections no two have the same`() {
        var seen = Set<String>()
        for index in 0..<100_000 {
            seen.insert(ConnectionID.of(boot: [1], process: pid_t(1000 + index % 300), start: Array(String(index / 300).utf8)))
        }
        #expect(seen.count == 100_000)
    }

    @Test(arguments: ["sshd", "sshd: root [priv]", "a) R 1 2 3 (b", ")"])
    func `a program's name does not move the fields`(name: String) {
        let fields = (4...52).map { String($0 * 11) }.joined(separator: " ")
        #expect(ConnectionID.startTime(Array("4711 (\(name)) S \(fields)\n".utf8)).map { String(decoding: $0, as: UTF8.self) } == "242")
    }

    @Test func `what cannot be read is no id`() {
        #expect(ConnectionID.startTime(Array("4711 (x) S 1 2 3".utf8)) == nil)
        #expect(ConnectionID.startTime([]) == nil)
        #expect(ConnectionID.startTime(Array("1 (x) S \(Array(repeating: "x", count: 40).joined(separator: " "))".utf8)) == nil)
        #expect(ConnectionID.of(process: 0) == nil)
        #expect(ConnectionID.of(process: -1) == nil)
        #expect(ConnectionID.of(process: pid_t.max) == nil)
    }
}
