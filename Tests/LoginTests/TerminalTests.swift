import Foundation
import TestSupport
import Testing

@testable import Login

private enum Programs {
    static let areThere = ["/usr/bin/python3", BuiltPrograms.path("opk"), BuiltPrograms.path("opk-demo-provider")]
        .allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }
}

/// What a person sees in a terminal, whole. `OPK_GOLDEN=write` writes the files anew.
@Suite("opk login: the screen of a person", .serialized, .enabled(if: Programs.areThere, "python3 or the programs are not there"))
struct TerminalTests {
    static let isPossible = Programs.areThere

    struct Seen: Decodable, Sendable {
        let snapshots: [String: String]
        let status: Int32?
        /// Whether the terminal is as it was before.
        let restored: Bool?
        let raw: String?
        /// Bytes that were pasted and that the next program would read.
        let unread: Int?
        let error: String?
    }

    /// - Parameters:
    ///   - steps: see terminal.py.
    ///   - wrapper: a program that runs opk, with its arguments.
    static func run(
        _ arguments: [String], steps: [[String]], columns: Int = 100, rows: Int = 40, environment: [String: String] = [:],
        home: TemporaryFolder, wrapper: [String] = []
    ) async throws -> Seen {
        let helper = SharedData.packageRoot.appendingPathComponent("Tests/LoginTests/terminal.py").path
        let script = String(decoding: try JSONEncoder().encode(steps), as: UTF8.self)
        var variables = ["HOME": home.path, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "TZ": "UTC"]
        variables.merge(environment) { $1 }
        let whole = variables
        let output = try await onThread { () -> Result<Data, any Error> in
            Result {
                let process = Process()
                process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
                process.arguments = [helper, "\(columns)", "\(rows)", script] + wrapper + [BuiltPrograms.path("opk")] + arguments
                process.environment = whole
                let pipe = Pipe()
                process.standardOutput = pipe
                try process.run()
                let data = pipe.fileHandleForReading.readDataToEndOfFile()
                process.waitUntilExit()
                return data
            }
        }.get()
        return try JSONDecoder().decode(Seen.self, from: output)
    }

    /// A login at a demo provider of its own.
    static func logIn(
        _ arguments: [String], steps: [[String]], provider more: [String] = [], columns: Int = 100, rows: Int = 40,
        environment: [String: String] = [:], home: TemporaryFolder, wrapper: [String] = []
    ) async throws -> Seen {
        let provider = Process()
        provider.executableURL = URL(fileURLWithPath: BuiltPrograms.path("opk-demo-provider"))
        provider.arguments = ["--key-type", "ES256", "--control", #"{"device_nonce": true}"#] + more
        let output = Pipe()
        provider.standardOutput = output
        provider.standardError = FileHandle.nullDevice
        try provider.run()
        defer { provider.terminate() }
        let issuer = try #require(
            await onThread { String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).split(separator: "\n").first }
        ).dropFirst("issuer: ".count)
        return try await run(
            ["login", "--provider", issuer + ",opk-demo"] + arguments, steps: steps, columns: columns, rows: rows,
            environment: environment, home: home, wrapper: wrapper)
    }

    /// Without what differs from one run to the next: ports, codes, times, and the modules of a QR code.
    static func steady(_ text: String, home: TemporaryFolder) -> String {
        var lines: [String] = []
        for line in text.replacing(home.path, with: "HOME").split(separator: "\n", omittingEmptySubsequences: false) {
            // What a QR code looks like once colours are gone: its lines, of which the first and the last ones are empty.
            if line.contains(where: { "▀▄█".contains($0) }) {
                if lines.last != "[QR code]" { lines.append("[QR code]") }
                continue
            }
            lines.append(
                String(line).replacing(/localhost:[0-9]+/, with: "localhost:PORT").replacing(/authorize\?[^ ]+/, with: "authorize?…")
                    .replacing(/choose\/[^ ]+/, with: "choose/…").replacing(/\(([0-9]+ (min|s) ?)+ ago\)/, with: "(N s ago)")
                    // A program names itself without links on the way.
                    .replacing(BuiltPrograms.folder.resolvingSymlinksInPath().path, with: "BIN")
                    .replacing(BuiltPrograms.folder.path, with: "BIN")
                    .replacing(/[A-Z]{4}-[A-Z]{4}/, with: "CODE").replacing(/[0-9]+ min( [0-9]+ s)? left/, with: "N min left")
                    .replacing(/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}/, with: "DATE").replacing(/in 23 h 59 min|in 1 d/, with: "in 24 h"))
        }
        return lines.joined(separator: "\n")
    }

    static func compare(_ seen: Seen, _ name: String, home: TemporaryFolder) throws {
        #expect(seen.error == nil, "\(seen)")
        let file = SharedData.packageRoot.appendingPathComponent("Tests/LoginTests/golden/\(name).txt")
        let parts = seen.snapshots.sorted { $0.key > $1.key }.map { "=== \($0.key)\n" + steady($0.value, home: home) }
        let text = parts.joined(separator: "\n") + "\n=== status \(seen.status.map(String.init) ?? "none")\n"
        if ProcessInfo.processInfo.environment["OPK_GOLDEN"] == "write" { try text.write(to: file, atomically: true, encoding: .utf8) }
        #expect(text == (try? textOfFile(file.path)), "\(name)")
        #expect(seen.restored == true)
    }

    @Test("--device: an address, a QR code, the code alone on a line, the time left, and in the end who was logged in")
    func device() async throws {
        let home = try TemporaryFolder()
        let seen = try await TerminalTests.logIn(
            ["--device"], steps: [["see", "left"], ["snapshot", "while it waits"], ["approve", "alice"], ["end"]], home: home)
        try TerminalTests.compare(seen, "device", home: home)
        #expect(home.names.contains(".ssh/id_ecdsa"))
    }

    @Test("--device: no QR code where none is wanted, where there is no room, and a note then", arguments: ["no-qr", "narrow", "low"])
    func deviceWithoutCode(_ case: String) async throws {
        let home = try TemporaryFolder()
        let seen = try await TerminalTests.logIn(
            ["--device"] + (`case` == "no-qr" ? ["--no-qr"] : []),
            steps: [["see", "left"], ["snapshot", "while it waits"], ["type", "\u{3}"], ["end"]],
            columns: `case` == "narrow" ? 28 : 100, rows: `case` == "low" ? 15 : 40, home: home)
        try TerminalTests.compare(seen, "device-\(`case`)", home: home)
        #expect(home.names.isEmpty)
    }

    @Test("--device: without UTF-8 the QR code is spaces and colours alone")
    func deviceASCII() async throws {
        let home = try TemporaryFolder()
        let seen = try await TerminalTests.logIn(
            ["--device"], steps: [["see", "left"], ["type", "\u{3}"], ["end"]], rows: 60, environment: ["LC_ALL": "C", "TERM": "vt220"],
            home: home)
        let raw = try #require(seen.raw)
        #expect(!raw.contains("▀") && !raw.contains("█"))
        #expect(raw.split(separator: "\u{1B}[0m\r\n").count > 25 && raw.contains("\u{1B}[40m  ") && !raw.contains("48;5"))
    }

    @Test("--remote: a wrong paste is told why and asked again; a right one, longer than a terminal's line, ends the login unseen")
    func remote() async throws {
        let home = try TemporaryFolder()
        let seen = try await TerminalTests.logIn(
            ["--remote"],
            steps: [
                ["see", "left"], ["snapshot", "before the paste"], ["type", "http://evil.example/s3cret?x\r"], ["see", "again"],
                ["paste", "alice"], ["end"],
            ], home: home)
        try TerminalTests.compare(seen, "remote", home: home)
        let raw = try #require(seen.raw)
        #expect(!raw.contains("s3cret") && !raw.contains("code=") && !raw.contains("xxxx"))
        #expect(home.names.contains(".ssh/id_ecdsa"))
    }

    @Test("--remote: what is left of a paste that was not an address is not the shell's next command")
    func flood() async throws {
        let home = try TemporaryFolder()
        let seen = try await TerminalTests.logIn(
            ["--remote", "--redirect-uri", "http://localhost:0/cb"],
            // More than a terminal gives in 256 reads.
            steps: [["see", "What you paste is not shown"], ["flood", "20000"], ["end"]],
            home: home)
        #expect(seen.status == 1 && seen.restored == true && seen.unread == 0, "\(seen)")
        #expect(seen.raw?.contains("\u{1B}[?2004h") == true && seen.raw?.contains("\u{1B}[?2004l") == true)
    }

    @Test("--remote: a Ctrl-C in a paste ends the login, and what follows it is not the shell's next command")
    func cut() async throws {
        let home = try TemporaryFolder()
        let seen = try await TerminalTests.logIn(
            ["--remote", "--redirect-uri", "http://localhost:0/cb"],
            steps: [["see", "What you paste is not shown"], ["cut", "20000"], ["end"]],
            home: home)
        #expect(seen.status == -SIGINT && seen.restored == true && seen.unread == 0, "\(seen.status as Any) \(seen.unread as Any)")
        #expect(seen.raw?.contains("\u{1B}[?2004l") == true && home.names.isEmpty)
    }

    @Test("--remote: a paste that takes longer than ten seconds is thrown away to its end, and that is said")
    func longPaste() async throws {
        let seen = try await TerminalTests.logIn(
            ["--remote", "--redirect-uri", "http://localhost:0/cb"],
            steps: [["see", "What you paste is not shown"], ["pour", "12"], ["end"]], home: try TemporaryFolder())
        #expect(seen.status == 1 && seen.restored == true && seen.unread == 0, "\(seen.status as Any) \(seen.unread as Any)")
        #expect(seen.snapshots["at the end"]?.contains("opk: a paste goes on, and is thrown away until it ends") == true)
    }

    @Test("--remote: the right address and a second line in one paste is one wrong paste")
    func lines() async throws {
        let home = try TemporaryFolder()
        let seen = try await TerminalTests.logIn(
            ["--remote"],
            steps: [["see", "What you paste is not shown"], ["lines", "alice"], ["see", "again"], ["type", "\u{3}"], ["end"]], home: home)
        #expect(seen.status == -SIGINT && seen.restored == true && seen.unread == 0 && home.names.isEmpty, "\(seen)")
    }

    @Test(
        "Ctrl-C and SIGTERM end a wait, say that nothing was written, and leave the terminal as it was", arguments: ["remote", "browser"])
    func interrupted(way: String) async throws {
        for (name, step) in [("INT", ["type", "\u{3}"]), ("TERM", ["signal", "SIGTERM"])] {
            let home = try TemporaryFolder()
            let seen = try await TerminalTests.logIn(
                way == "remote" ? ["--remote", "--redirect-uri", "http://localhost:0/cb"] : ["--redirect-uri", "http://localhost:0/cb"],
                steps: [["see", "left"], ["snapshot", "while it waits"], step, ["end"]],
                // One that is not there: whether these tests run in a container makes no difference then.
                environment: ["BROWSER": "/nonexistent/browser"], home: home)
            #expect(seen.status == (name == "INT" ? -SIGINT : -SIGTERM))
            #expect(seen.restored == true)
            #expect(seen.snapshots["at the end"]?.hasSuffix("opk: interrupted, nothing was written\n") == true, "\(seen)")
            #expect(home.names.isEmpty)
            if name == "INT" { try TerminalTests.compare(seen, "\(way)-interrupted", home: home) }
        }
    }

    @Test("where standard error is no terminal nothing is redrawn and there is no QR code")
    func noTerminal() async throws {
        let home = try TemporaryFolder()
        let run = try await CommandTests.run(
            ["login", "--provider", "http://localhost:1,x", "--device"], home: home.path)
        #expect(run.status == 1 && !run.errors.contains("\u{1B}") && !run.errors.contains("\r"))
    }
}
