import ChildProcess
import KeyCache
import Vocabulary

/// opk-fetch as a child: this user's, or by sudo another's. What the broker runs.
struct FetchCommand {
    let mode: FetchMode
    /// For the child's command line, where they are not the defaults.
    let configFolder: String
    let cacheFolder: String

    init(_ arguments: Arguments, _ mode: FetchMode) {
        self.mode = mode
        configFolder = arguments.configFolder
        cacheFolder = arguments.cacheFolder
    }

    /// - Parameters:
    ///   - request: for its standard input.
    ///   - deadline: in milliseconds from now.
    func run(_ request: [UInt8], within deadline: Int) -> HelperAnswer {
        guard let (program, arguments) = command() else { return FetchCommand.nowhere }
        let outcome: ChildProcess.Outcome
        do {
            outcome = try ChildProcess.run(
                program, arguments, environment: .inherited(), input: request, outputLimit: FetchAnswer.maximumSize,
                errorOutput: .captured(limit: 1024), deadline: deadline)
        } catch {
            return .failed("\(error)")
        }
        // A refusal comes with its answer; without one it is sudo's, or a crash's.
        if case .exited = outcome.ending, !outcome.output.isEmpty { return HelperAnswer(.done, outcome.output) }
        let reason = FetchCommand.reason(outcome, deadline)
        if case .sudo = mode {
            return .failed(
                "\(reason) (asked through sudo, which can wait for name resolution: is opk-fetch.socket running, or the rule /etc/sudoers.d/opk there?)"
            )
        }
        return .failed(reason)
    }

    /// Starts it and does not wait for it.
    func start(_ request: [UInt8]) -> HelperAnswer {
        guard let (program, arguments) = command() else { return FetchCommand.nowhere }
        do {
            try ChildProcess.spawnDetached(program, arguments, environment: .inherited(), input: request)
            return HelperAnswer(.done)
        } catch {
            return .failed("\(error)")
        }
    }

    private static let nowhere = HelperAnswer.failed("where opk-fetch lies cannot be told")

    private static func reason(_ outcome: ChildProcess.Outcome, _ deadline: Int) -> String {
        switch outcome.ending {
        case .timedOut: Fetcher.late(Int64(deadline))
        case .killed(let signal): "opk-fetch was ended by signal \(signal)"
        case .tooMuchOutput: "opk-fetch answered too much"
        case .exited:
            outcome.errorOutput.isEmpty ? "opk-fetch answered nothing" : escaped(outcome.errorOutput.prefix { $0 != 0x0A }, limit: 512)
        }
    }

    /// Under sudo the command is the one that the rule allows, to the letter: without an argument of ours but `serve`.
    private func command() -> (program: String, arguments: [String])? {
        guard let program = Programs.folder.map({ $0 + "opk-fetch" }) else { return nil }
        var arguments: [String] = []
        if configFolder != Arguments.defaultConfigFolder { arguments += ["--config-dir", configFolder] }
        if cacheFolder != KeyCache.defaultDirectory { arguments += ["--cache-dir", cacheFolder] }
        arguments.append("serve")
        guard case .sudo(let user) = mode else { return (program, arguments) }
        return (HomeCommand.sudo, ["-n", "-u", "#\(user)", "--", program] + arguments)
    }
}
