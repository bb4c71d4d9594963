import Foundation
import MintingKit
import Testing
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite(
    "opk-verify: refusals under fire", .serialized,
    .enabled(if: Root.canMount, "only root, where mounting is allowed, can put another /dev in place"))
struct RefusalTallyTests {
    let doorway: Doorway
    let logger: SystemLogger
    let login: MintedLogin
    var file: String { doorway.stateFolder + "/refusals" }

    /// Lines at once, and what one more takes: as the manual says.
    static let burst = 20
    static let size = 4096

    init() throws {
        doorway = try Doorway()
        logger = try SystemLogger(in: doorway.folder)
        login = try doorway.login()
        try doorway.keep(login.keys)
        try FileManager.default.createDirectory(
            atPath: doorway.stateFolder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        try make()
    }

    private func make(_ bytes: [UInt8] = [UInt8](repeating: 0, count: size), mode: Int = 0o600) throws {
        try? FileManager.default.removeItem(atPath: file)
        guard FileManager.default.createFile(atPath: file, contents: Data(bytes), attributes: [.posixPermissions: mode]) else {
            throw CocoaError(.fileWriteUnknown)
        }
    }

    private func ask(_ login: MintedLogin? = nil, as account: String = "guest") throws -> Run {
        try doorway.ask(login ?? self.login, as: account, surroundings: Root.seeing(logger.folder, at: "/dev"))
    }

    /// The texts of the messages, without priority, time and process.
    private func texts(_ messages: [String]) -> [String] {
        messages.map { message in message.range(of: "]: ").map { String(message[$0.upperBound...]) } ?? message }
    }

    /// So many processes at once: four of five for a certificate that the provider did not sign, one for a key that is not of the type named.
    private func flood(_ count: Int) throws -> (seconds: Int, lines: [String]) {
        let words = try doorway.words(login.with { $0.providerKey = TestKeys.otherP256 })
        let type = String(decoding: words[words.count - 1], as: UTF8.self)
        let script = """
            i=0
            while [ $i -lt \(count) ]; do
                if [ $((i % 5)) = 0 ]; then "$@" ssh-rsa & else "$@" \(type) & fi >/dev/null 2>&1
                i=$((i + 1))
            done
            wait; exit 0;
            """
        let all = [
            Array("-c".utf8), Array(Root.seeing(logger.folder, at: "/dev", then: script).utf8), Array("sh".utf8),
            Array(Program.verify.utf8),
        ]
        let start = Date()
        let (run, messages) = try logger.listening {
            try Program.run("/bin/sh", all + words.dropLast(), environment: Doorway.environment, patience: 300)
        }
        #expect(run.ending == .exited(0), "\(run)")
        return (Int(Date().timeIntervalSince(start).rounded(.up)), texts(messages))
    }

    /// `reason count` of all lines that count, added up.
    private func counted(_ lines: [String]) -> [String: Int] {
        var counts: [String: Int] = [:]
        for line in lines where line.hasPrefix("refusals not logged one by one") {
            for part in line.components(separatedBy: ": ").last?.components(separatedBy: ", ") ?? [] {
                let words = part.split(separator: " ")
                counts[String(words[0]), default: 0] += Int(words[1]) ?? 0
            }
        }
        return counts
    }

    @Test("500 refusals at once make some twenty lines and one more in a second, and what is not logged is counted to the last one")
    func flooded() throws {
        let (seconds, lines) = try flood(500)
        let logged = lines.filter { $0.hasPrefix("refused ") }
        #expect((1...(Self.burst + seconds)).contains(logged.count), "\(logged.count) lines in \(seconds) s")
        // Each logged line may be preceded by one that counts.
        #expect(lines.count <= 2 * logged.count)

        // A person's refusal is not hidden by them, and tells what was not told.
        #expect(try ask(as: "root").status == 1)
        let person = texts(logger.messages())
        #expect(person.count == 2 && person[0].hasPrefix("refusals not logged one by one since "), "\(person)")
        #expect(person.last?.contains(" step=9 reason=no-row-admits ") == true, "\(person)")
        let counts = counted(lines + person)
        #expect(counts.values.reduce(logged.count, +) == 500, "\(logged.count) and \(counts)")
        #expect(Set(counts.keys).isSubset(of: ["provider-signature", "key-type-mismatch"]), "\(counts)")

        // Nothing is left to be told.
        #expect(try ask().admitted)
        #expect(texts(logger.messages()).count { $0.hasPrefix("refus") } == 0)
    }

    @Test("An admission too tells first what was not told; on a terminal every refusal is shown")
    func toldByAdmission() throws {
        let before = texts(
            try logger.listening {
                for _ in 0..<(Self.burst + 30) {
                    let run = try ask(as: "root")
                    #expect(run.refused(1, "reason=no-row-admits "), "\(run)")
                }
            }.messages)
        #expect(try ask().admitted)
        let after = texts(logger.messages())
        #expect(after.last?.hasPrefix("admitted ") == true)
        let counts = counted(before + after)
        #expect(counts["no-row-admits", default: 0] + before.count { $0.hasPrefix("refused ") } == Self.burst + 30, "\(before + after)")
        #expect(counts.count == 1)
        // A fault of the configuration has a bucket of its own.
        try doorway.write("config.yml", "nonsense: 1\n")
        #expect(try ask().status == 2)
        #expect(texts(logger.messages()).first?.contains(" reason=configuration ") == true)
    }

    /// Uses up what may be logged at once, and says whether something was held back: whether the file counted at all.
    private func isCounting() throws -> Bool {
        let lines = texts(try logger.listening { for _ in 0..<(Self.burst + 10) { _ = try ask(as: "root") } }.messages)
        let logged = lines.count { $0.hasPrefix("refused ") }
        #expect(logged > 0)
        return logged < Self.burst + 10
    }

    @Test("A file that is absent, another's, readable by others, linked, of another size or no file is not used: every refusal is logged")
    func unusable() throws {
        #expect(try isCounting())
        let faults: [(about: String, make: () throws -> Void)] = [
            ("absent", { try FileManager.default.removeItem(atPath: file) }),
            (
                "owner",
                {
                    try make(); chown(file, Root.nobody, Root.nobody)
                }
            ),
            ("mode", { try make(mode: 0o644) }), ("short", { try make([]) }), ("long", { try make([UInt8](repeating: 0, count: 4097)) }),
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
        for fault in faults {
            try fault.make()
            #expect(try !isCounting(), "\(fault.about)")
        }
    }

    @Test("Nonsense in the file, or a time far ahead, silences nobody and is put right")
    func nonsense() throws {
        // Another layout: emptied.
        try make([UInt8](repeating: 0x5A, count: Self.size))
        #expect(try ask(as: "root").status == 1)
        let lines = texts(logger.messages())
        #expect(lines.count == 1 && lines[0].hasPrefix("refused "), "\(lines)")
        #expect(try isCounting())
        // Buckets that are full again in some million years, and the first of the counted in the year 9999.
        var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: file)))
        for index in 8..<80 { bytes[index] = index % 8 == 7 ? 0x10 : 0xFF }
        try make(bytes)
        #expect(try ask(as: "root").status == 1)
        #expect(texts(logger.messages()).last?.hasPrefix("refused ") == true)
        #expect(try isCounting())
    }

    @Test("A refusal that the log does not take is counted too, and told when it does")
    func stuck() throws {
        logger.fill()
        for _ in 0..<3 { #expect(try ask(as: "root").status == 1) }
        #expect(try ask().admitted, "whether or not the log takes what was counted")
        _ = logger.messages()
        #expect(try ask().admitted)
        let lines = texts(logger.messages())
        #expect(lines.count == 2 && counted(lines) == ["no-row-admits": 3] && lines[1].hasPrefix("admitted "), "\(lines)")
    }

    @Test("A wrong call, which a wrong sshd_config makes of every login, is counted in the default place and never fails for want of it")
    func wrongCall() throws {
        let run = try Program.run(Program.verify, [Array("--nonsense".utf8)], environment: Doorway.environment)
        #expect(run.refused(2, "wrong call"), "\(run)")
    }
}
