public import ChildProcess
public import Identities
public import Vocabulary

/// What ssh itself makes of its configuration, by `ssh -G`.
///
/// That runs what `Match exec` says, ours as well: opk then finds `variable` in its environment and asks nobody to log in.
public struct SSHCheck {
    /// Set, it makes `opk login --if-needed` succeed at once and do nothing.
    public static let variable = "OPK_CHECKING_SSH"

    public enum Surprise: Sendable, Equatable {
        /// What it said instead, hostile.
        case refused(Text)
        case notOffered(IdentityName)
        case changed
    }

    private let program: String
    private let arguments: [String]
    private let environment: ProcessEnvironment

    /// Milliseconds: a person's own `Match exec` may ask something of the network.
    private static let deadline = 20_000
    /// No host is called so (RFC 6761), so that whatever is said of it is said of hosts that are none of ours.
    private static let nobody: Text = "opk-check.invalid"

    /// - Parameters:
    ///   - program: ssh's absolute path.
    ///   - arguments: what it is called with besides.
    public init(_ program: String, _ arguments: [String] = [], environment: ProcessEnvironment = .inherited()) {
        self.program = program
        self.arguments = arguments
        // A person's `Match exec` gets it.
        var environment = environment.withoutSecrets
        environment[SSHCheck.variable] = "1"
        self.environment = environment
    }

    /// Writes what `setup` says if ssh understands it as it is meant, and nothing otherwise: it is asked before, about files beside.
    public func apply(_ setup: SSHSetup) throws(SetupError) {
        try setup.trying { trial throws(SetupError) in
            // As it is called every day, so that what it says names the person's own file.
            if case .refused(let words) = ask(SSHCheck.nobody) { throw .sshRefuses(words) }
            try check(setup.identities, trial)
        }
        try setup.apply()
    }

    private func check(_ identities: [HostIdentity], _ trial: Trial) throws(SetupError) {
        for identity in identities {
            // A host belongs to the first that it fits.
            guard let host = identity.example, let expected = identities.first(where: { $0.isFor(host) }) else { continue }
            switch ask(host, in: trial.after) {
            case .refused(let words): throw .notUnderstood(host: host, .refused(words))
            case .options(let lines):
                let wanted = [
                    "identitiesonly yes", "identityfile ~/.ssh/opk/\(expected.name)",
                    "certificatefile ~/.ssh/opk/\(expected.name)-cert.pub",
                ]
                guard wanted.allSatisfy({ lines.contains(Text($0)) }) else {
                    throw .notUnderstood(host: host, .notOffered(expected.name))
                }
            }
        }
        guard !identities.contains(where: { $0.isFor(SSHCheck.nobody) }) else { return }
        guard ask(SSHCheck.nobody, in: trial.after) == ask(SSHCheck.nobody, in: trial.before) else {
            throw .notUnderstood(host: SSHCheck.nobody, .changed)
        }
    }

    private enum Answer: Equatable {
        case options([Text])
        case refused(Text)
    }

    /// - Parameter file: in the place of `~/.ssh/config`.
    private func ask(_ host: Text, in file: String? = nil) -> Answer {
        do throws(ChildFailure) {
            let outcome = try ChildProcess.run(
                program, arguments + (file.map { ["-F", $0] } ?? []) + ["-G", "--", host.string], environment: environment,
                errorOutput: .captured(limit: 4 << 10),
                deadline: SSHCheck.deadline)
            guard outcome.succeeded else {
                let words = outcome.errorOutput.split(separator: 0x0A).last { !$0.isEmpty } ?? []
                return .refused(words.isEmpty ? "it says nothing" : Text(String(decoding: words, as: UTF8.self)))
            }
            return .options(outcome.output.split(separator: 0x0A).map { Text(String(decoding: $0, as: UTF8.self)) })
        } catch {
            return .refused(Text("\(error)"))
        }
    }
}

extension SSHCheck.Surprise: CustomStringConvertible {
    public var description: String {
        switch self {
        case .refused(let words): "it says: \(words.escaped(limit: 300))"
        case .notOffered(let name): "it would not offer the login \(name)"
        case .changed: "it would do other things than before"
        }
    }
}
