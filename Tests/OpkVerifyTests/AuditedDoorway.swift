import Foundation
import JOSE
import MintingKit
import SSHKeys
import TestSupport
import Testing
import Vocabulary

/// A doorway whose decisions are audited.
struct AuditedDoorway {
    let doorway: Doorway
    let login: MintedLogin
    var folder: String { doorway.folder + "/log" }
    var path: String { folder + "/audit.jsonl" }

    init() throws {
        doorway = try Doorway()
        login = try doorway.login()
        try doorway.keep(login.keys)
        try makeFolder(folder)
        try makeFile(path)
        try makeFolder(doorway.stateFolder)
        for (name, size) in [("refusals", 4096), ("recent", 135_168)] {
            try makeFile(doorway.stateFolder + "/" + name, size: size, mode: 0o600)
        }
    }

    func makeFolder(_ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
    }

    func makeFile(_ path: String, size: Int = 0, mode: Int = 0o640) throws {
        guard FileManager.default.createFile(atPath: path, contents: Data(count: size), attributes: [.posixPermissions: mode]) else {
            throw CocoaError(.fileWriteUnknown)
        }
    }

    func options(_ path: String? = nil) -> [String] {
        [
            "--config-dir", doorway.config, "--cache-dir", doorway.cacheFolder, "--state-dir", doorway.stateFolder, "--audit-log",
            path ?? self.path, "--",
        ]
    }

    func ask(_ other: MintedLogin? = nil, as account: String = "guest", at path: String? = nil, surroundings: String? = nil) throws -> Run {
        try doorway.ask(other ?? login, as: account, options: options(path), surroundings: surroundings)
    }

    /// With `%C` behind sshd's three words.
    func ask(from connection: String, as account: String = "guest") throws -> Run {
        let words = try doorway.words(login, as: account, options: options()) + [Array(connection.utf8)]
        return try Program.run(Program.verify, words, environment: Doorway.environment)
    }

    func bytes(_ path: String? = nil) -> [UInt8] { FileManager.default.contents(atPath: path ?? self.path).map(Array.init) ?? [] }

    /// All events: each line must be one, whole.
    func events(_ path: String? = nil) throws -> [JSONObject] {
        let bytes = bytes(path)
        guard bytes.isEmpty || bytes.last == 0x0A else { throw CocoaError(.fileReadCorruptFile) }
        #expect(try EventSchema.problems(String(decoding: bytes, as: UTF8.self)) == [])
        return try bytes.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast().map { try JSONObject(parsing: Array($0)) }
    }

    /// Those lines that are events, and how many are not.
    func readable() -> (events: [JSONObject], torn: Int) {
        let lines = bytes().split(separator: 0x0A)
        let events = lines.compactMap { try? JSONObject(parsing: Array($0)) }
        return (events, lines.count - events.count)
    }

    func clear() throws { try FileHandle(forWritingTo: URL(fileURLWithPath: path)).truncate(atOffset: 0) }
}

extension JSONObject {
    func text(_ name: Text) -> String? { self[name]?.string?.string }
    func number(_ name: Text) -> Int? { self[name]?.number.flatMap { Int($0.text.string) } }
}
