import ChildProcess
import Foundation

/// Programs of the system and ours, run with an environment of their own: no proxy, no agent, no configuration of whoever runs the tests.
enum Command {
    struct Outcome {
        /// The exit status; nil where a signal or the deadline ended it.
        let status: Int32?
        let output: String
        let errors: String

        var both: String { output + errors }
    }

    static func environment(home: String? = nil, adding more: [String: String] = [:]) -> [String: String] {
        ["PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": home ?? "/nonexistent", "LC_ALL": "C.UTF-8", "TZ": "UTC"]
            .merging(more) { _, new in new }
    }

    /// Runs a program to its end, at most `deadline` seconds.
    static func run(
        _ program: String, _ arguments: [String], environment: [String: String] = environment(), input: String = "", deadline: Int = 30
    ) async throws -> Outcome {
        guard let path = program.hasPrefix("/") ? program : Machine.path(program) else {
            throw HarnessError("\(program) is not installed")
        }
        var variables = ProcessEnvironment.empty
        for (name, value) in environment { variables[name] = value }
        let outcome = try await onThread { [variables] in
            try ChildProcess.run(
                path, arguments, environment: variables, input: Array(input.utf8), outputLimit: 8 << 20,
                errorOutput: .captured(limit: 1 << 20), deadline: deadline * 1000)
        }
        let status: Int32? = if case .exited(let status) = outcome.ending { status } else { nil }
        return Outcome(
            status: status, output: String(decoding: outcome.output, as: UTF8.self),
            errors: String(decoding: outcome.errorOutput, as: UTF8.self))
    }

    /// The same, where anything but status 0 is the harness's failure.
    @discardableResult
    static func mustRun(
        _ program: String, _ arguments: [String], environment: [String: String] = environment(), input: String = "", deadline: Int = 30
    ) async throws -> String {
        let outcome = try await run(program, arguments, environment: environment, input: input, deadline: deadline)
        guard outcome.status == 0 else {
            throw HarnessError("\(program) \(arguments.joined(separator: " ").prefix(300)): \(outcome.both)")
        }
        return outcome.output
    }

    /// Waiting blocks a thread, and Swift's own are few and needed by everybody.
    private static func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
        }
    }
}
