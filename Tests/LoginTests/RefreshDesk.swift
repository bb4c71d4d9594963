import ChildProcess
import Foundation
import Identities
import SSHKeys
import Testing
import TokenStore
import Vocabulary

@testable import Login

/// A demo provider in a process of its own, and a home folder whose configuration names it `work`.
final class RefreshDesk: @unchecked Sendable {
    static let program: URL? = Bundle.main.executableURL.flatMap { tests in
        let program = tests.deletingLastPathComponent().appendingPathComponent("opk")
        return FileManager.default.isExecutableFile(atPath: program.path) ? program : nil
    }
    static let isPossible = program != nil && FileManager.default.isExecutableFile(atPath: "/usr/bin/curl")
    static let absence: Comment = "opk is not built, or there is no curl"

    let folder: TemporaryFolder
    let name: IdentityName
    private(set) var issuer = ""
    private var controlToken = ""
    private let provider = Process()

    /// Logins are 100 seconds old when they are made, so that a refreshed one is later.
    init(provider more: [String] = []) async throws {
        folder = try TemporaryFolder()
        name = try #require(IdentityName("work"))
        provider.executableURL = Self.program?.deletingLastPathComponent().appendingPathComponent("opk-demo-provider")
        provider.arguments = ["--auto-login", "alice", "--key-type", "ES256", "--token-lifetime", "600", "--issued-at-offset=-100"] + more
        let output = Pipe()
        provider.standardOutput = output
        provider.standardError = FileHandle.nullDevice
        try provider.run()
        let lines = await onThread { () -> [String: String] in
            var text = ""
            while !text.contains("control-token: ") || text.last != "\n" {
                let chunk = output.fileHandleForReading.availableData
                if chunk.isEmpty { break }
                text += String(decoding: chunk, as: UTF8.self)
            }
            let pairs = text.split(separator: "\n").compactMap { line in
                line.firstRange(of: ": ").map { (String(line[..<$0.lowerBound]), String(line[$0.upperBound...])) }
            }
            return Dictionary(pairs) { first, _ in first }
        }
        issuer = try #require(lines["issuer"])
        controlToken = try #require(lines["control-token"])
        try folder.write(Array("#!/bin/sh\nexec curl -sSL -o /dev/null \"$1\"\n".utf8), to: "browser", mode: 0o700)
        let configuration = """
            ---
            providers:
              - alias: work
                issuer: \(issuer)
                client_id: opk-demo
                redirect_uris: ["http://localhost:0/cb"]

            """
        try folder.write(Array(configuration.utf8), to: ".opk/config.yml")
    }

    deinit { endProvider() }

    func endProvider() {
        guard provider.isRunning else { return }
        provider.terminate()
        provider.waitUntilExit()
    }

    // What opk does

    func opk(_ arguments: [String], agent: String? = nil, path: String? = nil) async throws -> CommandTests.Run {
        try await CommandTests.run(
            arguments, home: folder.path, browser: folder.path + "/browser", agent: agent, adding: path.map { ["PATH": $0] } ?? [:])
    }

    /// `opk login work --refresh` with the refresh token in a file: other tests have the same keyring. The provider's clock is right afterwards.
    @discardableResult
    func logIn(_ more: [String] = [], agent: String? = nil, path: String? = nil) async throws -> CommandTests.Run {
        let run = try await opk(
            ["login", "work", "--timeout", "60s", "--refresh", "--refresh-token-store", "file"] + more, agent: agent, path: path)
        #expect(run.status == 0, "\(run)")
        try await control(#"{"issued_at_offset": 0}"#)
        return run
    }

    // What the provider does

    func control(_ document: String) async throws {
        #expect(try await curl(["-X", "POST", "-d", document, issuer + "/control"]) != nil)
    }

    func requests(_ path: String) async throws -> Int {
        let answer = try #require(try await curl([issuer + "/control/requests"]))
        return try JSONDecoder().decode([String: Int].self, from: Data(answer.utf8))[path] ?? 0
    }

    private func curl(_ arguments: [String]) async throws -> String? {
        let token = controlToken
        return try await onThread {
            Result {
                let process = Process()
                process.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
                process.arguments = ["-fsS", "-H", "Authorization: Bearer " + token] + arguments
                let output = Pipe()
                process.standardOutput = output
                try process.run()
                let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                process.waitUntilExit()
                return process.terminationStatus == 0 ? text : nil
            }
        }.get()
    }

    // What lies here

    var home: String { folder.path + "/.opk" }
    func record() throws -> StoredIdentity? { try IdentityFolder(below: home).read(name) }
    var tokens: TokenStore { TokenStore(below: home, environment: .empty) }
    func token() throws -> StoredRefreshToken? { try tokens.token(name, in: .file) }

    func certificateBytes() throws -> [UInt8] { try bytesOfFile(try #require(try record()).certificateFile) }
    func certificate() throws -> SSHCertificate {
        try SSHCertificate(parsing: try #require(SSHKeyLine(parsing: try certificateBytes())).blob)
    }

    /// Everything below the home folder that a login wrote.
    var keys: [String] {
        folder.names.filter {
            $0.hasPrefix(".ssh/id") || $0.hasPrefix(".ssh/opk/") || $0.hasPrefix(".opk/tokens/") || $0.hasSuffix(".json")
        }
    }
}

/// opk as a service runs it: going on until it is told to stop.
final class RunningOpk: @unchecked Sendable {
    private let process = Process()
    private let heard = Shared("")
    private let reader: ThreadHandle

    init(_ arguments: [String], _ desk: RefreshDesk, adding more: [String: String] = [:]) throws {
        process.executableURL = RefreshDesk.program
        process.arguments = arguments
        process.environment = ["HOME": desk.folder.path, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"].merging(more) { $1 }
        let errors = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        try process.run()
        let heard = heard
        reader = ThreadHandle {
            while case let chunk = errors.fileHandleForReading.availableData, !chunk.isEmpty {
                heard.value += String(decoding: chunk, as: UTF8.self)
            }
        }
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    var text: String { heard.value }

    /// SIGTERM; the status and the seconds until it was gone.
    func stop() async -> (status: Int32, seconds: Double) {
        let begin = Date()
        process.terminate()
        let status = await end()
        return (status, Date().timeIntervalSince(begin))
    }

    func end() async -> Int32 {
        await onThread {
            self.process.waitUntilExit()
            self.reader.join()
            return self.process.terminationReason == .exit ? self.process.terminationStatus : -1
        }
    }
}

/// Whether it came to be so within 30 seconds.
func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    for _ in 0..<600 {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(50))
    }
    return false
}
