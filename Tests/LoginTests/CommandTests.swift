import Foundation
import SSHKeys
import Testing
import Vocabulary

@testable import Login

enum OpkProgram {
    /// Beside the tests' own binary.
    static let url: URL? = Bundle.main.executableURL.flatMap { tests in
        let program = tests.deletingLastPathComponent().appendingPathComponent("opk")
        return FileManager.default.isExecutableFile(atPath: program.path) ? program : nil
    }

    static let hasCurl: Bool = FileManager.default.isExecutableFile(atPath: "/usr/bin/curl")
}

/// The program itself, as a person or a script calls it.
@Suite("opk: what the commands print, write and answer", .serialized, .enabled(if: OpkProgram.url != nil, "opk is not built"))
struct CommandTests {
    struct Run: Sendable {
        let status: Int32
        let output: String
        let errors: String
    }

    static func run(
        _ arguments: [String], home: String, browser: String? = nil, input: String = "", agent: String? = nil,
        failing: String? = nil, adding more: [String: String] = [:]
    ) async throws -> Run {
        let program = try #require(OpkProgram.url)
        return try await onThread { () -> Result<Run, any Error> in
            Result {
                let process = Process()
                process.executableURL = failing == nil ? program : URL(fileURLWithPath: "/usr/bin/strace")
                let injection = failing.map { ["-qq", "-o", "/dev/null", "-e", "inject=" + $0, program.path] } ?? []
                process.arguments = injection + arguments
                let usual = ["HOME": home, "PATH": "/usr/bin:/bin", "BROWSER": browser ?? "", "LC_ALL": "C.UTF-8"]
                process.environment = usual.merging(more) { _, new in new }
                if let agent { process.environment?["SSH_AUTH_SOCK"] = agent }
                let (inputPipe, output, errors) = (Pipe(), Pipe(), Pipe())
                (process.standardInput, process.standardOutput, process.standardError) = (inputPipe, output, errors)
                let heard = Shared("")
                try process.run()
                // Read beside each other, so that neither pipe fills up.
                let reader = ThreadHandle {
                    heard.value = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                }
                inputPipe.fileHandleForWriting.write(Data(input.utf8))
                try inputPipe.fileHandleForWriting.close()
                let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                reader.join()
                process.waitUntilExit()
                return Run(status: process.terminationStatus, output: text, errors: heard.value)
            }
        }.get()
    }

    /// A login at a demo provider, with curl for a browser. The provider is a process of its own: in this one it would have to wait for
    /// other tests, and opk does not wait long.
    func logIn(
        _ arguments: [String], provider more: [String] = [], in folder: TemporaryFolder, agent: String? = nil,
        failing: String? = nil
    ) async throws -> (run: Run, issuer: Text) {
        let provider = Process()
        provider.executableURL = OpkProgram.url?.deletingLastPathComponent().appendingPathComponent("opk-demo-provider")
        provider.arguments = ["--auto-login", "alice", "--key-type", "ES256"] + more
        let output = Pipe()
        provider.standardOutput = output
        provider.standardError = FileHandle.nullDevice
        try provider.run()
        defer { provider.terminate() }
        let issuer = try #require(await onThread { CommandTests.issuer(output.fileHandleForReading) })
        try folder.write(Array("#!/bin/sh\nexec curl -sSL -o /dev/null \"$1\"\n".utf8), to: "browser", mode: 0o700)
        let whole = ["login", "--provider", issuer + ",opk-demo", "--redirect-uri", "http://localhost:0/cb", "--timeout", "60s"]
        let run = try await CommandTests.run(
            whole + arguments, home: folder.path, browser: folder.path + "/browser", agent: agent, failing: failing)
        return (run, Text(issuer))
    }

    /// The provider's first line: `issuer: URL`.
    private static func issuer(_ output: FileHandle) -> String? {
        var text = ""
        while !text.contains("\n") {
            let chunk = output.availableData
            if chunk.isEmpty { return nil }
            text += String(decoding: chunk, as: UTF8.self)
        }
        return text.split(separator: "\n").first.map { String($0.dropFirst("issuer: ".count)) }
    }
}
