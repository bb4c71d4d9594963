import CSystem
import Foundation

/// A program that runs beside the test; what it says goes to a file.
///
/// Foundation's Process notices the end of a child only on a thread with a run loop, and Swift's tasks have none.
final class BackgroundProcess: @unchecked Sendable {
    let log: URL
    private let program: String
    let identifier: pid_t
    private let lock = NSLock()
    private var ended: Int32?

    init(_ program: String, _ arguments: [String], environment: [String: String] = Command.environment(), log: URL) throws {
        guard let path = program.hasPrefix("/") ? program : Machine.path(program) else {
            throw HarnessError("\(program) is not installed")
        }
        self.program = path
        self.log = log
        let file = open(log.path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw HarnessError("\(log.path) cannot be written") }
        defer { close(file) }
        func packed(_ words: [String]) -> [UInt8] { words.flatMap { Array($0.utf8) + [0] } }
        let words = packed([path] + arguments)
        let variables = packed(environment.map { "\($0.key)=\($0.value)" })
        var child: pid_t = 0
        // Of our descriptors the child gets the log alone: sockets of other tests in this process must not live on in it.
        let error = opk_spawn(&child, path, words, words.count, variables, variables.count, Int32(OPK_NULL_DEVICE), file, file)
        guard error == 0 else { throw HarnessError("\(path) cannot be started: error \(error)") }
        identifier = child
    }

    var text: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }

    /// The exit status, or 128 and the signal's number; nil while it runs.
    var status: Int32? {
        lock.withLock {
            if let ended { return ended }
            var status: Int32 = 0
            guard waitpid(identifier, &status, WNOHANG) == identifier else { return nil }
            ended = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
            return ended
        }
    }

    /// The first line for which `find` has an answer; fails after `seconds`, or when the program has ended without it.
    func waitForLine<Value>(seconds: Double = 20, _ what: String, _ find: (Substring) -> Value?) async throws -> Value {
        let end = ContinuousClock.now + .seconds(seconds)
        while true {
            let isOver = status != nil
            if let found = text.split(separator: "\n").lazy.compactMap(find).first { return found }
            if isOver || ContinuousClock.now > end { throw HarnessError("no \(what) from \(program): \(text)") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// The exit status, once it has ended; fails after `seconds`.
    func waitForEnd(seconds: Double = 20) async throws -> Int32 {
        let end = ContinuousClock.now + .seconds(seconds)
        while true {
            if let status { return status }
            guard ContinuousClock.now < end else { throw HarnessError("\(program) does not end: \(text)") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    func stop() async {
        for signal in [SIGTERM, SIGKILL] {
            guard status == nil else { return }
            kill(identifier, signal)
            for _ in 0..<250 where status == nil { try? await Task.sleep(for: .milliseconds(20)) }
        }
    }
}
