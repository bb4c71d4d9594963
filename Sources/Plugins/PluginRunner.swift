import ChildProcess
public import Policy
public import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Asks the plugins of policy.d, one after the other, until one allows: by exit status 0 and exactly `allow` (a line break may follow) on
/// its standard output. Whatever else happens is a no, and a note for the log.
///
/// Each runs without a shell, in a session of its own, with nothing but the question in its environment and nothing to read, and is killed
/// with its process group when its time is over, or when it ended and left something behind.
public struct PluginRunner: Sendable {
    let folder: String
    let trust: FileTrust

    /// For all plugins together, in milliseconds; where one asks for more by itself (`timeout`), that.
    public static let totalTime = 4000
    /// Bytes of standard output: `allow`, and a little for the log.
    static let outputLimit = 64
    /// Bytes of standard error that are looked at, and lines of them that are shown.
    static let errorLimit = 512
    static let errorLines = 3

    /// - Parameter folder: policy.d itself.
    public init(folder: String, trust: FileTrust) {
        self.folder = folder
        self.trust = trust
    }

    /// - Parameter limit: in milliseconds, where less is left than all plugins may have.
    public func ask(_ question: PluginQuestion, within limit: Int = .max) -> PluginAnswer {
        let found = PluginFolder.read(folder, trust: trust)
        if found.isEmpty { return .none }
        var notes = found.problems.map(\.description)
        guard !found.plugins.isEmpty else { return .refused(notes) }
        if let reason = question.impossibility { return .refused(notes + ["no plugin is asked: \(reason)"]) }
        let longest = found.plugins.map(\.timeout.seconds).max() ?? 0
        let total = min(limit, max(PluginRunner.totalTime, Int(longest) * 1000))
        let end = PluginRunner.milliseconds() + Int64(total)
        let redaction = Redaction(question.secrets)
        for plugin in found.plugins {
            let left = Int(end - PluginRunner.milliseconds())
            guard left > 0 else {
                notes.append(
                    "the plugins from \(PluginRunner.name(plugin)) on are not asked: the time for all of them (\(total) ms) is over")
                break
            }
            switch run(plugin, question, min(left, Int(plugin.timeout.seconds) * 1000), redaction) {
            case .allows(let complaint):
                if let complaint { notes.append("plugin \(PluginRunner.name(plugin)) admits, and complains: \(complaint)") }
                return .allowed(name: plugin.name.escaped(limit: 256), notes: notes)
            case .refuses(let reason): notes.append("plugin \(PluginRunner.name(plugin)): \(reason)")
            }
        }
        return .refused(notes)
    }

    private enum Verdict {
        case allows(complaint: String?)
        case refuses(String)
    }

    private func run(_ plugin: Plugin, _ question: PluginQuestion, _ time: Int, _ redaction: Redaction) -> Verdict {
        let words = plugin.words.map(\.string)
        let environment = question.environment(for: plugin)
        guard let program = words.first, !environment.isEmpty else { return .refuses("it cannot be asked") }
        do {
            try TrustedProgram.check(program, trust: trust)
        } catch {
            return .refuses("it is not run: \(error)")
        }
        let outcome: ChildProcess.Outcome
        do {
            outcome = try ChildProcess.run(
                program, Array(words.dropFirst()), environment: ProcessEnvironment(entries: environment),
                outputLimit: PluginRunner.outputLimit,
                errorOutput: .captured(limit: PluginRunner.errorLimit), deadline: time)
        } catch {
            return .refuses("\(error)")
        }
        let complaint = PluginRunner.complaint(outcome, redaction)
        if outcome.ending == .exited(0), PluginRunner.isAllow(outcome.output) { return .allows(complaint: complaint) }
        let reason = PluginRunner.reason(outcome, time, redaction)
        return .refuses(complaint.map { "\(reason); it complains: \($0)" } ?? reason)
    }

    static func isAllow(_ output: [UInt8]) -> Bool {
        output == Array("allow".utf8) || output == Array("allow\n".utf8)
    }

    private static func reason(_ outcome: ChildProcess.Outcome, _ time: Int, _ redaction: Redaction) -> String {
        switch outcome.ending {
        case .exited(let status):
            return "it says \"\(escaped(redaction.applied(to: outcome.output), limit: outputLimit))\" with exit status \(status)"
        case .killed(let signal): return "it was ended by signal \(signal)"
        case .timedOut: return "it did not answer within \(time) ms"
        case .tooMuchOutput: return "it wrote more than \(outputLimit) bytes"
        }
    }

    /// The first lines of its standard error, in quotes.
    private static func complaint(_ outcome: ChildProcess.Outcome, _ redaction: Redaction) -> String? {
        let lines = redaction.applied(to: outcome.errorOutput).split(separator: 0x0A).prefix(errorLines)
        if lines.isEmpty { return nil }
        return "\"" + lines.map { escaped($0, limit: errorLimit) }.joined(separator: " / ") + "\""
    }

    private static func name(_ plugin: Plugin) -> String { Text(plugin.file).escaped(limit: 128) }

    private static func milliseconds() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
