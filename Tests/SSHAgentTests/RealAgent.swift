import ChildProcess
import Foundation
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// OpenSSH's own agent, in a folder that is gone with it.
final class RealAgent: @unchecked Sendable {
    static let isThere = ["ssh-agent", "ssh-add"].allSatisfy { FileManager.default.isExecutableFile(atPath: "/usr/bin/" + $0) }
    static let absence: Comment = "no ssh-agent or ssh-add"

    let folder: String
    let socket: String
    private let process = Process()

    /// - Parameter user: run as this user (as root only).
    init(as user: UInt32? = nil) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("opk-agent-" + UUID().uuidString.prefix(8)).path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        socket = folder + "/agent"
        var words = ["/usr/bin/ssh-agent", "-D", "-a", socket]
        if let user {
            chown(folder, user, user)
            words = ["/usr/bin/setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups"] + words
        }
        process.executableURL = URL(fileURLWithPath: words[0])
        process.arguments = Array(words.dropFirst())
        process.environment = ["HOME": folder, "PATH": "/usr/bin:/bin", "TMPDIR": folder]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        // Its socket has a name before it listens.
        var tries = 1000
        while try sshAdd("-l").status == 2, tries > 0 {
            usleep(10_000)
            tries -= 1
        }
    }

    /// Ends it and leaves its socket, as a crash does.
    func kill() {
        process.interrupt()
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// To be deferred: it also keeps the agent until then.
    func end() {
        if process.isRunning { Foundation.kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(atPath: folder)
    }

    var environment: ProcessEnvironment { ProcessEnvironment(entries: [Array("SSH_AUTH_SOCK=\(socket)".utf8)]) }

    /// `ssh-add` with these words; a passphrase is given by an askpass program.
    @discardableResult
    func sshAdd(_ arguments: String..., passphrase: String? = nil) throws -> (status: Int32, output: String) {
        let program = Process()
        program.executableURL = URL(fileURLWithPath: "/usr/bin/ssh-add")
        program.arguments = arguments
        var environment = ["SSH_AUTH_SOCK": socket, "HOME": folder, "PATH": "/usr/bin:/bin"]
        if let passphrase {
            let ask = folder + "/askpass"
            _ = FileManager.default.createFile(
                atPath: ask, contents: Data("#!/bin/sh\necho '\(passphrase)'\n".utf8), attributes: [.posixPermissions: 0o700])
            environment["SSH_ASKPASS"] = ask
            environment["SSH_ASKPASS_REQUIRE"] = "force"
        }
        program.environment = environment
        program.standardInput = FileHandle.nullDevice
        let output = Pipe()
        program.standardOutput = output
        program.standardError = output
        try program.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        program.waitUntilExit()
        return (program.terminationStatus, String(decoding: bytes, as: UTF8.self))
    }
}
