import Foundation
import MintingKit
import Testing
import Vocabulary

/// A socket where journald's is, in a folder that opk-verify sees as /run.
private final class Journal {
    let folder: String
    private let socket: Int32

    init(in folder: String) throws {
        self.folder = folder + "/run"
        try FileManager.default.createDirectory(atPath: self.folder + "/systemd/journal", withIntermediateDirectories: true)
        socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array((self.folder + "/systemd/journal/socket").utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        guard bound == 0 else { throw POSIXError(.EADDRINUSE) }
    }

    deinit { close(socket) }

    /// The fields of each message: `NAME=VALUE`, or NAME, a length and that many bytes.
    func messages() -> [[String: String]] {
        var messages: [[String: String]] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while case let count = recv(socket, &buffer, buffer.count, 0), count >= 0 {
            var rest = buffer[..<count]
            var fields: [String: String] = [:]
            while let end = rest.firstIndex(of: 0x0A) {
                let line = rest[..<end]
                rest = rest[(end + 1)...]
                if let equals = line.firstIndex(of: UInt8(ascii: "=")) {
                    fields[String(decoding: line[..<equals], as: UTF8.self)] = String(decoding: line[(equals + 1)...], as: UTF8.self)
                } else {
                    let length = rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
                    rest = rest.dropFirst(8)
                    fields[String(decoding: line, as: UTF8.self)] = String(decoding: rest.prefix(length), as: UTF8.self)
                    rest = rest.dropFirst(length)
                    #expect(rest.popFirst() == 0x0A)
                }
            }
            #expect(rest.isEmpty)
            messages.append(fields)
        }
        return messages
    }
}

@Suite(
    "opk-verify: journald", .serialized,
    .enabled(if: Root.canMount, "only root, where mounting is allowed, can put another /run in place"))
struct JournalTests {
    let audited: AuditedDoorway
    private let journal: Journal

    init() throws {
        audited = try AuditedDoorway()
        journal = try Journal(in: audited.doorway.folder)
    }

    @Test("Where journald runs it gets the line, with fields as the event has them, and syslog gets nothing from here")
    func fields() throws {
        let logger = try SystemLogger(in: audited.doorway.folder)
        let script = "mount --bind \(logger.folder) /dev || exit 99;"
        let nasty = "a\nOPK_GRANTED=true\n"
        let login = audited.login.with { $0.claims["sub"] = .string(Text(nasty)) }
        for (login, account) in [(audited.login, "guest"), (login, "root")] {
            let run = try audited.ask(login, as: account, surroundings: Root.seeing(journal.folder, at: "/run", then: script))
            let messages = journal.messages()
            let fields = try #require(messages.count == 1 ? messages[0] : nil, "\(run) \(messages)")
            let event = try #require(try audited.events().last)
            #expect(run.terminal == (fields["MESSAGE"] ?? "") + "\n")
            #expect(fields["PRIORITY"] == (account == "guest" ? "6" : "4") && fields["SYSLOG_FACILITY"] == "4")
            #expect(fields["SYSLOG_IDENTIFIER"] == "opk-verify" && fields["SYSLOG_PID"] == "\(run.process)")
            #expect(fields["OPK_GRANTED"] == (account == "guest" ? "true" : "false") && fields["OPK_TYPE"] == "decision")
            for (field, member) in [
                ("OPK_EVENT_ID", "id"), ("OPK_ACCOUNT", "account"), ("OPK_REASON", "reason"), ("OPK_ISSUER", "issuer"),
                ("OPK_SUBJECT", "subject"),
                ("OPK_EMAIL", "email"), ("OPK_ATTEMPT", "attempt"), ("OPK_KEY_FINGERPRINT", "key_fingerprint"),
                ("OPK_TOKEN_FINGERPRINT", "token_fingerprint"),
            ] { #expect(fields[field] == event.text(Text(member)), "\(field)") }
            #expect(account == "guest" || fields["OPK_SUBJECT"] == nasty && fields["OPK_STEP"] == "9")
            #expect(logger.messages() == [])
        }
    }

    @Test("Where journald's socket is there and nobody listens, syslog gets the line")
    func nobodyListens() throws {
        let logger = try SystemLogger(in: audited.doorway.folder)
        let folder = audited.doorway.folder + "/dead"
        try FileManager.default.createDirectory(atPath: folder + "/systemd/journal", withIntermediateDirectories: true)
        #expect(FileManager.default.createFile(atPath: folder + "/systemd/journal/socket", contents: nil))
        let script = "mount --bind \(logger.folder) /dev || exit 99;"
        #expect(try audited.ask(surroundings: Root.seeing(folder, at: "/run", then: script)).admitted)
        #expect(logger.messages().count == 1)
    }
}
