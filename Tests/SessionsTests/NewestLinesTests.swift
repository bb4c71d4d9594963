import Foundation
import Testing
import Vocabulary

@testable import Sessions

@Suite("The end of the log, the newest line first") struct NewestLinesTests {
    private let path = NSTemporaryDirectory() + "/opk-newest-" + UUID().uuidString

    private func write(_ text: String, _ older: String? = nil) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        try older?.write(toFile: path + ".1", atomically: true, encoding: .utf8)
    }

    private func clean() { for end in ["", ".1"] { unlink(path + end) } }

    private func lines(_ reach: Int = 16 << 20) -> [String] {
        var found: [String] = []
        var lines = NewestLines(log: path, reach: reach)
        lines.search {
            found.append(String(decoding: $0.bytes, as: UTF8.self))
            return false
        }
        return found
    }

    @Test("every line comes once, whole, wherever the blocks part it; the file before the rotation comes after the newer one")
    func order() throws {
        defer { clean() }
        // Lengths up to 900, so that blocks part lines at many places.
        let all = (0..<2000).map { "\($0) " + String(repeating: "x", count: $0 * 37 % 900) }
        try write(all[1000...].map { $0 + "\n" }.joined(), all[..<1000].map { $0 + "\n" }.joined())
        #expect(lines() == all.reversed())
        try write("a\n\nb", "")
        #expect(lines() == ["b", "a"])
        try write("")
        #expect(lines() == [])
        // No further than the reach, and no piece of a line.
        try write("aaaa\nbbbb\ncccc\n", "")
        #expect(lines(12) == ["cccc", "bbbb"])
        #expect(lines(10) == ["cccc"])
    }

    @Test("a line without an end, and one longer than any of ours, hide nothing that stands before or behind them")
    func long() throws {
        defer { clean() }
        try write("before\n" + String(repeating: "x", count: 3 << 20) + "\nbehind\n")
        let found = lines()
        #expect(found.first == "behind" && found.last == "before")
        #expect(found.allSatisfy { $0.utf8.count <= NewestLines.block + NewestLines.longestLine })
    }

    @Test("what others can write is not read, nor a link, nor what has a second name")
    func unsafe() throws {
        defer { clean() }
        try write("a\n")
        chmod(path, 0o646)
        #expect(lines() == [])
        chmod(path, 0o640)
        #expect(lines() == ["a"])
        link(path, path + ".1")
        #expect(lines() == [])
        unlink(path)
        symlink(path + ".1", path)
        #expect(lines() == ["a"], "the file before the rotation, once")
    }

    @Test(
        "in root's folder a second name elsewhere hides nothing; where others may put files it does",
        .enabled(if: geteuid() == 0, "not root"))
    func secondName() throws {
        let folder = path + "-folder"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        mkdir(folder, 0o755)
        let log = folder + "/audit.jsonl"
        try "a\n".write(toFile: log, atomically: true, encoding: .utf8)
        #expect(link(log, folder + "/other") == 0)
        func found() -> [String] {
            var found: [String] = []
            var lines = NewestLines(log: log, reach: 1 << 20)
            lines.search { line in
                found.append(String(decoding: line.bytes, as: UTF8.self))
                return false
            }
            return found
        }
        #expect(found() == ["a"])
        chmod(folder, 0o777)
        #expect(found() == [])
    }

    private static func decision(_ attempt: String, key: String = "SHA256:k", granted: Bool = true, email: String = "a@x") -> String {
        """
        {"v":1,"time":"2026-11-28T22:00:10Z","type":"decision","attempt":"\(attempt)","account":"deploy","granted":\(granted),"verified":true,\
        "email":"\(email)","key_fingerprint":"\(key)","break_glass":true}

        """
    }

    private static let now = UnixTime(rfc3339: "2026-11-28T22:00:30Z") ?? UnixTime(seconds: 0)

    @Test("a decision is found behind ten million bytes of refusals; one that is near the end costs one block")
    func found() throws {
        defer { clean() }
        let refusal = Self.decision("zzzzzzzzzz", granted: false, email: String(repeating: "x", count: 1200))
        let junk = String(repeating: refusal, count: (10 << 20) / refusal.utf8.count)
        try write(Self.decision("aaaaaaaaaa") + junk)
        let found = GrantedDecisions(log: path).decision(of: "aaaaaaaaaa", account: "deploy", key: "SHA256:k", at: Self.now)
        #expect(found?.identity.isBreakGlass == true)

        try write(junk + Self.decision("aaaaaaaaaa"), junk)
        var lines = NewestLines(log: path, reach: GrantedDecisions.reach)
        #expect(GrantedDecisions.decision(of: "aaaaaaaaaa", account: "deploy", key: "SHA256:k", at: Self.now, in: &lines) != nil)
        #expect(lines.bytesRead == NewestLines.block)
    }

    @Test("of any number of connections the decisions are found in one pass, and whoever has none costs no second")
    func onePass() throws {
        defer { clean() }
        let letters = Array("abcdefghij")
        let ids = (0..<100).map { "aaaaaaaa\(letters[$0 / 10])\(letters[$0 % 10])" }
        let junk = String(repeating: Self.decision("zzzzzzzzzz"), count: 10_000)
        try write(ids.map { Self.decision($0, email: "old@x") + Self.decision($0, email: "\($0)@x") }.joined() + junk, junk)
        let sizes = [path, path + ".1"].map { ((try? FileManager.default.attributesOfItem(atPath: $0))?[.size] as? Int) ?? 0 }
        var lines = NewestLines(log: path, reach: GrantedDecisions.reach)
        let found = GrantedDecisions.newest(of: Set(ids), in: &lines)
        #expect(found.count == 100 && ids.allSatisfy { found[$0]?.identity.email == Text("\($0)@x") })
        #expect(lines.bytesRead <= sizes[0])
        var again = NewestLines(log: path, reach: GrantedDecisions.reach)
        #expect(GrantedDecisions.newest(of: Set(ids + ["bbbbbbbbbb", "cccccccccc"]), in: &again).count == 100)
        #expect(again.bytesRead == sizes[0] + sizes[1])
    }
}
