import ChildProcess
import Foundation

@testable import SSHAgent

/// OpenSSH's own agent for a test.
final class TestAgent: @unchecked Sendable {
    static let isThere = ["ssh-agent", "ssh-add"].allSatisfy { FileManager.default.isExecutableFile(atPath: "/usr/bin/" + $0) }

    let socket: String
    private let folder: TemporaryFolder
    private let process = Process()

    init() throws {
        folder = try TemporaryFolder()
        socket = folder.path + "/agent"
        process.executableURL = URL(fileURLWithPath: "/usr/bin/ssh-agent")
        process.arguments = ["-D", "-a", socket]
        process.environment = ["HOME": folder.path, "PATH": "/usr/bin:/bin", "TMPDIR": folder.path]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        // Its socket has a name before it listens.
        for _ in 0..<1000 {
            if (try? SSHAgent.connect(environment: environment)) != nil { break }
            usleep(10_000)
        }
    }

    /// To be deferred: it also keeps the agent until then.
    func end() {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }

    var environment: ProcessEnvironment { ProcessEnvironment(entries: [Array("SSH_AUTH_SOCK=\(socket)".utf8)]) }

    func identities() throws -> [AgentIdentity] { try SSHAgent.connect(environment: environment).identities() }

    /// `ssh-add -x`.
    func lock() throws {
        try folder.write(Array("#!/bin/sh\necho secret\n".utf8), to: "askpass", mode: 0o700)
        let program = Process()
        program.executableURL = URL(fileURLWithPath: "/usr/bin/ssh-add")
        program.arguments = ["-x"]
        program.environment = [
            "SSH_AUTH_SOCK": socket, "HOME": folder.path, "PATH": "/usr/bin:/bin", "SSH_ASKPASS": folder.path + "/askpass",
            "SSH_ASKPASS_REQUIRE": "force",
        ]
        program.standardInput = FileHandle.nullDevice
        program.standardOutput = FileHandle.nullDevice
        program.standardError = FileHandle.nullDevice
        try program.run()
        program.waitUntilExit()
    }
}
