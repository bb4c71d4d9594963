import CSystem
import Foundation
import MintingKit
import RecentRefusals
import SSHKeys
import TestSupport
import Testing
import Verifier
import Vocabulary

@testable import PolicyExplanation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite("the last refusals") struct RingTests {
    let place: Place
    var file: String { RecentRefusals.path(in: place.stateFolder) }

    init() throws {
        place = try Place()
        try make()
    }

    private func make(_ bytes: [UInt8] = [UInt8](repeating: 0, count: RecentRefusals.size), mode: Int = 0o600) throws {
        try place.put(file, bytes, mode)
    }

    private func keep(_ text: String, kind: UInt32 = 0, at time: Int64 = 1_790_000_000) -> Bool {
        RecentRefusals.keep(Array(text.utf8), kind: kind, at: UnixTime(seconds: time), in: place.stateFolder)
    }

    private func texts() throws -> [String] {
        try RecentRefusals.read(in: place.stateFolder).map { String(decoding: $0.text, as: UTF8.self) }
    }

    @Test("What is kept is read back, the newest first, and a thousand strangers do not push out a person's refusal")
    func flood() throws {
        #expect(try texts() == [])
        #expect(keep("person", kind: 1, at: 1))
        for number in 0..<1000 { #expect(keep("stranger \(number)", at: Int64(2 + number))) }
        let texts = try texts()
        #expect(texts.count == 33 && texts.first == "stranger 999" && texts.last == "person")
        // A text that is too long is cut, and one of no length is a text.
        #expect(keep(String(repeating: "x", count: 5000), kind: 2, at: 5000) && keep("", kind: 3, at: 6000))
        #expect(try RecentRefusals.read(in: place.stateFolder).prefix(2).map(\.text.count) == [0, 992])
    }

    @Test("A slot of which any bit was changed is passed over, and no other")
    func torn() throws {
        #expect(keep("one", kind: 0) && keep("two", kind: 0) && keep("three", kind: 1))
        let whole = Array(try Data(contentsOf: URL(fileURLWithPath: file)))
        for offset in Array(0..<40) {
            var bytes = whole
            bytes[4096 + offset] ^= 0x10
            try make(bytes)
            // Behind the text nothing counts.
            #expect(try texts().count == (offset < 32 || offset < 40 ? 2 : 3), "\(offset)")
        }
        // Half a slot of another text, as of a process that was killed.
        var bytes = whole
        for index in 0..<20 { bytes[4096 + 1024 + index] = 0x5A }
        try make(bytes)
        #expect(try texts().sorted() == ["one", "three"])
        // Nothing but rubbish is nothing, and is written over.
        try make((0..<RecentRefusals.size).map { UInt8(truncatingIfNeeded: $0 &* 31 + 7) })
        #expect(try texts() == [])
        #expect(keep("again"))
        #expect(try texts() == ["again"])
    }

    @Test("64 writers at once: every slot that is read is one that somebody wrote, and nearly all are whole")
    func concurrent() throws {
        let folder = place.stateFolder
        DispatchQueue.concurrentPerform(iterations: 64) { writer in
            for number in 0..<50 {
                let text = Array(String(repeating: "\(writer)-\(number) ", count: 60).utf8)
                RecentRefusals.keep(text, kind: UInt32(writer % 2), at: UnixTime(seconds: Int64(number)), in: folder)
            }
        }
        let texts = try texts()
        for text in texts {
            let words = Set(text.split(separator: " "))
            #expect(words.count <= 2, "\(text)")
        }
        #expect(texts.count > 32)
    }

    @Test(
        "A file that is absent, another's, open to others, linked, of another size or no file: nothing is kept, nothing is read, nobody waits"
    )
    func unusable() throws {
        #expect(keep("x"))
        var faults: [(about: String, make: () throws -> Void)] = [
            ("absent", { try FileManager.default.removeItem(atPath: file) }), ("mode", { try make(mode: 0o644) }),
            ("short", { try make([]) }),
            ("long", { try make([UInt8](repeating: 0, count: RecentRefusals.size + 1)) }),
            (
                "link",
                {
                    try make(); rename(file, file + "-"); symlink(file + "-", file)
                }
            ),
            (
                "second name",
                {
                    try make(); link(file, file + "=")
                }
            ),
            (
                "FIFO",
                {
                    unlink(file); mkfifo(file, 0o600)
                }
            ),
            (
                "folder",
                {
                    unlink(file); mkdir(file, 0o700)
                }
            ),
        ]
        if geteuid() == 0 {
            faults.append(
                (
                    "owner",
                    {
                        rmdir(file); try make(); chown(file, 65534, 65534)
                    }
                ))
        }
        for fault in faults {
            try fault.make()
            #expect(!keep("x"), "\(fault.about)")
            // Root reads the file of opk-verify's user.
            if fault.about != "owner" { #expect(throws: RecentRefusals.Failure.self, "\(fault.about)") { try texts() } }
        }
    }

    @Test("What is kept of a refusal has a bound, and the detail always has room")
    func bounded() throws {
        var kept = KeptRefusal()
        let long = String(repeating: "ä\u{1F600}", count: 3000)
        (kept.id, kept.step, kept.reason, kept.account, kept.issuer) = ("abcdefghij", 9, "no-row-admits", long, long)
        (kept.subject, kept.email, kept.isVerified, kept.detail) = (long, long, true, long)
        let text = kept.text(limit: RecentRefusals.longest)
        #expect(text.count <= RecentRefusals.longest && text.count > 900)
        let read = try #require(KeptRefusal(parsing: text))
        #expect(read.id == "abcdefghij" && read.step == 9 && read.reason == "no-row-admits" && read.isVerified)
        #expect(read.detail.utf8.count > 150 && long.hasPrefix(read.detail) && long.hasPrefix(read.account) && !read.email.isEmpty)
    }

    @Test("opk-verify keeps each refusal with the identifier that its log line has, and opk explain shows it; an admission is not kept")
    func wholePrograms() throws {
        let now = UnixTime.now()
        let login = try MintedLogin().with {
            $0.claims["iat"] = .number(.init(now.seconds - 60))
            $0.claims["exp"] = .number(.init(now.seconds + 3600))
            $0.now = now
        }
        try place.keep(login.keys, at: now)
        try place.write("auth_id", "guest alice@example.com \(Place.issuer.string)\n")
        func verify(_ account: String, _ login: MintedLogin) throws -> Place.Run {
            let words = try place.request(login, as: account)
            return try Place.run(
                "opk-verify",
                [
                    "--config-dir", place.config, "--cache-dir", place.cacheFolder, "--state-dir", place.stateFolder, "--", account,
                    words.key, words.type,
                ])
        }
        #expect(try verify("guest", login).status == 0)
        #expect(try texts() == [])
        #expect(try verify("root", login).status == 1)
        #expect(try verify("guest", login.with { $0.providerKey = TestKeys.otherP256 }).status == 1)
        let history = try RefusalHistory(folder: place.stateFolder, at: now)
        #expect(Set(history.entries.map(\.refusal.reason)) == ["no-row-admits", "provider-signature"])
        let person = try #require(history.entries.first { $0.refusal.isVerified }?.refusal)
        #expect(person.account == "root" && person.email == "alice@example.com" && person.step == 9)

        let shown = try place.opk("explain", "--last", "5")
        #expect(shown.status == 0 && shown.output.contains("id \(person.id)"), "\(shown)")
        #expect(
            shown.output.contains("opk explain root --email=alice@example.com --sub=alice-1 --issuer=\(Place.issuer.string)"), "\(shown)")
        #expect(shown.output.contains("says the token; not verified"))
        let one = try place.opk("explain", "--id", "id=\(person.id)", "--json")
        #expect(one.status == 0 && one.output.contains("\"reason\": \"no-row-admits\""), "\(one)")
        #expect(try place.opk("explain", "--id", "aaaaaaaaaa").status == 1)
        // The command that is shown explains.
        let closer = try place.opk("explain", "root", "--email=alice@example.com", "--sub=alice-1", "--issuer=\(Place.issuer.string)")
        #expect(closer.status == 1 && closer.output.contains("sudo opk add root alice@example.com"), "\(closer)")
        try FileManager.default.removeItem(atPath: file)
        #expect(try verify("root", login).status == 1, "without the file the decision stands")
        #expect(try place.opk("explain", "--last").errors.contains("make it: "))
    }

    @Test("Hostile text in the file is shown as text, and makes no command")
    func hostile() throws {
        let evil = "id x\u{1B}[2J\naccount ro\u{202E}ot\nissuer https://x\\u{a}\nemail a@b;rm -rf /\ndetail \u{1B}]0;x\u{07}\nstep 99\n"
        #expect(keep(evil))
        #expect(keep("account -rf\nissuer https://x\nemail '$(id)@x\nreason r\n", kind: 1))
        #expect(RecentRefusals.keep([0xFF, 0xFE], kind: 2, at: .now(), in: place.stateFolder))
        let history = try RefusalHistory(folder: place.stateFolder, at: .now())
        #expect(history.entries.count == 2)
        let text = history.lines(history.entries).joined()
        #expect(!text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F || $0.value == 0x202E })
        #expect(!text.contains("opk explain"), "\(text)")
    }
}
