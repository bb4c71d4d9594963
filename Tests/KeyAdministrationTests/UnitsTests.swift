import CSystem
import ChildProcess
import Foundation
import KeyCache
import TestSupport
import Testing
import Vocabulary

/// What systemd and cron are told to run.
@Suite("systemd units and the cron line", .serialized)
struct UnitsTests {
    private static let analyzer = "/usr/bin/systemd-analyze"
    private static let hasAnalyzer = FileManager.default.isExecutableFile(atPath: analyzer)

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: SharedData.packageRoot.appendingPathComponent(path), encoding: .utf8)
    }

    /// The values of a setting, in order.
    private static func values(_ setting: String, in text: String) -> [String] {
        text.split(separator: "\n").filter { $0.hasPrefix(setting + "=") }.map { String($0.dropFirst(setting.count + 1)) }
    }

    /// A command's words, with the program that was built with these tests in the place of the installed one, and the machine's folders.
    private static func words(_ command: String, _ machine: Machine) throws -> [String] {
        var words = command.split(separator: " ").map(String.init)
        let name = try #require(words.first.map { ($0 as NSString).lastPathComponent })
        words[0] = bin(name)
        return words + ["--config-dir", machine.config, "--cache-dir", machine.cacheFolder]
    }

    private static func bin(_ name: String) -> String { Machine.bin + "/" + name }

    @Test("systemd finds nothing to say about the units, and would about a wrong one", .enabled(if: hasAnalyzer, "no systemd-analyze"))
    func verified() throws {
        let machine = try Machine()
        let names = [
            "opk-keys.service", "opk-keys.timer", "opk-minute.service", "opk-minute.timer", "opk-fetch.socket", "opk-fetch@.service",
        ]
        for name in names {
            let installed = try Self.text("systemd/" + name).replacingOccurrences(of: "/usr/local/bin/opk ", with: Self.bin("opk") + " ")
                .replacingOccurrences(of: "/usr/local/libexec/opk/opk-fetch", with: Self.bin("opk-fetch"))
            try machine.write(name, installed)
        }
        for name in names {
            let run = try Machine.run(Self.analyzer, ["verify", "--man=no", machine.folder + "/" + name])
            #expect(run.status == 0 && run.errors.isEmpty && run.output.isEmpty, "\(name): \(run)")
        }
        try machine.write("opk-keys.service", Self.text("systemd/opk-keys.service") + "NoSuchSetting=yes\n")
        #expect(try !Machine.run(Self.analyzer, ["verify", "--man=no", machine.folder + "/opk-keys.service"]).errors.isEmpty)
    }

    @Test(
        "systemd finds nothing to say about the person's own unit, and would about a wrong one",
        .enabled(if: hasAnalyzer, "no systemd-analyze"))
    func verifiedForUser() throws {
        let machine = try Machine()
        let name = "opk-agent-refresh.service"
        let text = try Self.text("systemd/user/" + name)
        #expect(text.contains("ExecStart=/usr/local/bin/opk agent-refresh\n"))
        let installed = text.replacingOccurrences(of: "/usr/local/bin/opk ", with: Self.bin("opk") + " ")
        let environment = ["XDG_RUNTIME_DIR=" + machine.folder, "HOME=" + machine.folder, Self.analyzer]
        for (addition, isGood) in [("", true), ("\n[Service]\nNoSuchSetting=yes\n", false)] {
            try machine.write(name, installed + addition)
            let run = try Machine.run("/usr/bin/env", environment + ["verify", "--user", "--man=no", machine.folder + "/" + name])
            #expect((run.status == 0 && run.errors.isEmpty && run.output.isEmpty) == isGood, "\(run)")
        }
    }

    @Test(
        "every minute logins are looked for before anybody is told; who is told may run what is set-group-ID, and the bounds leave time for all"
    )
    func everyMinute() throws {
        let text = try Self.text("systemd/opk-minute.service")
        let commands = Self.values("ExecStart", in: text).map { $0.split(separator: " ").dropFirst().prefix(2).joined(separator: " ") }
        #expect(commands == ["sessions enforce", "log notify", "log metrics"])
        // RestrictSUIDSGID only keeps new ones from being made.
        #expect(Self.values("NoNewPrivileges", in: text) == [] && Self.values("RestrictSUIDSGID", in: text) == ["yes"])
        #expect(Self.values("TimeoutStartSec", in: text) == ["2min"] && Self.values("CapabilityBoundingSet", in: text).count == 1)
    }

    @Test("Both services run as the fetcher's user without any privilege, and may write the cache and nothing else")
    func hardened() throws {
        for name in ["opk-keys.service", "opk-fetch@.service"] {
            let text = try Self.text("systemd/" + name)
            for (setting, value) in [
                ("User", "opkfetch"), ("SupplementaryGroups", "opksshuser"), ("NoNewPrivileges", "yes"), ("ProtectSystem", "strict"),
                ("CacheDirectory", "opk"), ("ProtectSystem", "strict"), ("CapabilityBoundingSet", ""), ("PrivateTmp", "yes"),
                ("MemoryDenyWriteExecute", "yes"), ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
                ("SystemCallFilter", "@system-service"),
            ] {
                #expect(Self.values(setting, in: text) == [value], "\(name) \(setting)")
            }
        }
        let socket = try Self.text("systemd/opk-fetch.socket")
        for (setting, value) in [
            ("ListenStream", "/run/opk/fetch.socket"), ("Accept", "yes"), ("SocketUser", "root"), ("SocketGroup", "opksshuser"),
            ("SocketMode", "0660"), ("DirectoryMode", "0755"), ("MaxConnections", "256"),
        ] {
            #expect(Self.values(setting, in: socket) == [value], "\(setting)")
        }
    }

    @Test("What the timer's service and the cron line run renews the keys and says nothing, and leaves young ones")
    func renews() throws {
        let service = try #require(try Self.values("ExecStart", in: Self.text("systemd/opk-keys.service")).first)
        let cron = try Self.text("cron.d/opk-keys").split(separator: "\n").filter { $0.contains("* * * *") }
        #expect(cron.count == 1 && cron.first?.contains("  opkfetch  ") == true && cron.first?.contains("%") == false)
        let line = try #require(cron.first?.components(separatedBy: " || ").last)
        for command in [service, line] {
            let machine = try Machine()
            let words = try Self.words(command, machine)
            for asked in [2, 2] {
                let run = try Machine.run(words[0], Array(words.dropFirst()))
                #expect(run.status == 0 && run.output.isEmpty && run.errors.isEmpty && machine.asked == asked, "\(command): \(run)")
            }
            #expect(machine.cache.read(issuer: machine.issuer) != nil)
        }
        // The shell that cron starts can read it.
        let syntax = try Machine.run("/bin/sh", ["-n", "-c", String(cron[0].components(separatedBy: "opkfetch  ")[1])])
        #expect(syntax.status == 0 && syntax.errors.isEmpty)
    }

    @Test("What the socket's service runs answers one request on its connection, for issuers that providers names and no others")
    func serves() throws {
        let command = try #require(try Self.values("ExecStart", in: Self.text("systemd/opk-fetch@.service")).first)
        let machine = try Machine()
        let words = try Self.words(command, machine)
        let answer = try Self.converse(words, FetchRequest(.keys, of: machine.issuer).text)
        guard case .fetched(let record, let warnings) = FetchAnswer(parsing: answer) else {
            Issue.record("\(String(decoding: answer, as: UTF8.self))")
            return
        }
        #expect(CachedKeys(parsing: record, issuer: machine.issuer) != nil && warnings.isEmpty)
        #expect(machine.cache.read(issuer: machine.issuer)?.record == record)
        for request in [FetchRequest(.keys, of: "https://evil.example").text, Array("GET / HTTP/1.1\r\n\r\n".utf8), []] {
            guard case .failed = FetchAnswer(parsing: try Self.converse(words, request)) else {
                Issue.record("\(String(decoding: request, as: UTF8.self)) was answered")
                continue
            }
        }
    }

    /// Standard input and output are one end of a connection, as systemd has it with StandardInput=socket.
    private static func converse(_ words: [String], _ request: [UInt8]) throws -> [UInt8] {
        var ends: [Int32] = [-1, -1]
        guard opk_socketpair(&ends) == 0 else { throw POSIXError(.EMFILE) }
        let arguments = words.reduce(into: [UInt8]()) { $0 += Array($1.utf8) + [0] }
        let environment = Array("PATH=/usr/bin:/bin\0".utf8)
        var child: pid_t = 0
        let error = opk_spawn(
            &child, words[0], arguments, arguments.count, environment, environment.count, ends[1], ends[1], Int32(OPK_NULL_DEVICE))
        close(ends[1])
        defer { close(ends[0]) }
        guard error == 0 else { throw POSIXError(.ENOEXEC) }
        _ = opk_send(ends[0], request, request.count)
        shutdown(ends[0], Int32(SHUT_WR))
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = read(ends[0], &buffer, buffer.count), count > 0 { answer += buffer[..<count] }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        return answer
    }
}
