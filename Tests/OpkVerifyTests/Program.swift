import CSystem
import Foundation
import TestSupport

/// How a program ended, and what it said.
struct Run: Sendable, CustomStringConvertible {
    enum Ending: Sendable, Hashable {
        case exited(Int32)
        case killed(signal: Int32)
        /// It did not end in time.
        case stuck
    }

    let ending: Ending
    let output: String
    /// What came to the terminal on its standard error.
    let terminal: String
    let process: Int32

    var status: Int32? { if case .exited(let status) = ending { status } else { nil } }
    var terminalLines: [Substring] { terminal.split(separator: "\n") }
    var description: String { "\(ending), output \(output.debugDescription), terminal \(terminal.debugDescription)" }

    /// Ended with this status, without a word on standard output, and with one line on the terminal that contains all of `words`.
    func refused(_ status: Int32, _ words: String...) -> Bool {
        ending == .exited(status) && output.isEmpty && terminalLines.count == 1 && words.allSatisfy(terminal.contains)
    }

    /// Ended with 0 and one line for sshd, and one on the terminal.
    var admitted: Bool {
        ending == .exited(0) && output.hasPrefix("cert-authority,principals=\"opkssh-wildcard\" ssh-ed25519 ") && output.hasSuffix("\n")
            && output.filter { $0 == "\n" }.count == 1 && terminalLines.count == 1 && terminal.hasPrefix("admitted ")
    }
}

/// The programs that were built with these tests, run as sshd runs one: a vector of arguments, an environment that is given whole, nothing
/// on standard input, a pipe for the answer. Standard error is a terminal, so that the log line is seen there.
enum Program {
    static let verify = BuiltPrograms.path("opk-verify")

    enum Output {
        case read
        /// A pipe whose reader has gone.
        case nobodyReads
        /// A pipe that is full, and whose reader does not read.
        case stuck
    }

    /// - Parameters:
    ///   - patience: in seconds.
    ///   - meanwhile: called with the process's id while it runs.
    static func run(
        _ path: String, _ words: [[UInt8]], environment: [String: String], output: Output = .read, patience: Double = 60,
        meanwhile: ((Int32) throws -> Void)? = nil
    ) throws -> Run {
        let pipe = try pipe()
        let terminal = try terminal()
        var ours = [pipe.reading, terminal.master]
        if output == .nobodyReads {
            close(pipe.reading)
            ours[0] = -1
        }
        if output == .stuck {
            fill(pipe.writing)
            ours[0] = -1
        }
        defer { if output == .stuck { close(pipe.reading) } }
        let arguments = packed([Array(path.utf8)] + words)
        let variables = packed(environment.sorted { $0.key < $1.key }.map { Array("\($0.key)=\($0.value)".utf8) })
        var child: pid_t = 0
        let error = opk_spawn(
            &child, path, arguments, arguments.count, variables, variables.count, Int32(OPK_NULL_DEVICE), pipe.writing, terminal.slave)
        close(pipe.writing)
        close(terminal.slave)
        guard error == 0 else { throw POSIXError(POSIXErrorCode(rawValue: error) ?? .ENOEXEC) }
        let end = Date(timeIntervalSinceNow: patience)
        try meanwhile?(child)
        var heard: [[UInt8]] = [[], []]
        while ours != [-1, -1] && Date() < end { listen(&ours, &heard) }
        let ending = wait(for: child, until: end)
        for descriptor in ours where descriptor >= 0 { close(descriptor) }
        return Run(
            ending: ending, output: String(decoding: heard[0], as: UTF8.self), terminal: String(decoding: heard[1], as: UTF8.self),
            process: child)
    }

    /// What a shell makes of this script with these arguments.
    static func shell(_ script: String, _ words: String...) throws -> Run {
        try run("/bin/sh", (["-c", script, "sh"] + words).map { Array($0.utf8) }, environment: ["PATH": "/usr/bin:/bin"])
    }

    /// One string behind the other, each ended by NUL.
    private static func packed(_ strings: [[UInt8]]) -> [UInt8] {
        strings.reduce(into: []) { bytes, string in bytes += string + [0] }
    }

    /// One look at what is there to be read; what has ended becomes -1.
    private static func listen(_ descriptors: inout [Int32], _ heard: inout [[UInt8]]) {
        var requests = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        poll(&requests, nfds_t(requests.count), 100)
        for index in requests.indices where requests[index].revents != 0 {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = read(descriptors[index], &buffer, buffer.count)
            if count > 0 {
                heard[index] += buffer[..<count]
            } else if count == 0 || errno != EINTR {
                // A terminal that nobody holds any more answers EIO.
                close(descriptors[index])
                descriptors[index] = -1
            }
        }
    }

    /// Writes until nothing more goes in.
    private static func fill(_ pipe: Int32) {
        let flags = fcntl(pipe, F_GETFL)
        _ = fcntl(pipe, F_SETFL, flags | O_NONBLOCK)
        while write(pipe, "x", 1) == 1 {}
        _ = fcntl(pipe, F_SETFL, flags)
    }

    private static func wait(for child: pid_t, until end: Date) -> Run.Ending {
        var isLate = false
        while opk_has_ended(child) == 0 {
            if Date() > end && !isLate {
                isLate = true
                kill(child, SIGKILL)
            }
            usleep(2000)
        }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        if isLate { return .stuck }
        return status & 0x7F == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal: status & 0x7F)
    }

    private static func pipe() throws -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        guard opk_pipe(&ends) == 0 else { throw POSIXError(.EMFILE) }
        return (ends[0], ends[1])
    }

    /// A pseudo-terminal that passes every byte on as it is.
    private static func terminal() throws -> (master: Int32, slave: Int32) {
        var master: Int32 = -1
        var slave: Int32 = -1
        guard openpty(&master, &slave, nil, nil, nil) == 0 else { throw POSIXError(.ENODEV) }
        for end in [master, slave] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var settings = termios()
        guard tcgetattr(slave, &settings) == 0 else { throw POSIXError(.ENODEV) }
        cfmakeraw(&settings)
        tcsetattr(slave, TCSANOW, &settings)
        return (master, slave)
    }
}
