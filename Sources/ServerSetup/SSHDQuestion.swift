import Audit
import ChildProcess
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// sshd, asked about a configuration: by its own reading of its own files.
struct SSHDQuestion: Sendable {
    let sshd: String
    /// The file that it reads.
    let config: String

    /// Milliseconds; an account may be looked up in a directory.
    private static let patience = 20_000

    /// Nil where it is content (`sshd -t`); else what it says.
    func complaint() -> String? {
        do {
            let said = try run(["-t", "-f", config])
            return said.succeeded ? nil : SSHDQuestion.words(said.errorOutput)
        } catch {
            return "\(error)"
        }
    }

    /// What holds for a connection of that account's from this machine (`sshd -T -C`); nil where it does not say.
    func settings(for account: String) -> SSHDSettings? {
        guard !account.contains(",") else { return nil }
        let connection = "user=\(account),host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22"
        guard let said = try? run(["-T", "-C", connection, "-f", config]), said.succeeded else { return nil }
        return SSHDSettings(parsing: said.output)
    }

    var version: SSHDVersion? {
        // A version without -V says which it is while it complains.
        (try? run(["-V"])).flatMap { SSHDVersion(in: String(decoding: $0.errorOutput + $0.output, as: UTF8.self)) }
    }

    private func run(_ words: [String]) throws(ChildFailure) -> ChildProcess.Outcome {
        try ChildProcess.run(
            sshd, words, environment: .ofSystem, outputLimit: 4 << 20, errorOutput: .captured(limit: 64 << 10),
            deadline: SSHDQuestion.patience)
    }

    /// The last three lines: the first of them may be warnings.
    static func words(_ bytes: [UInt8]) -> String {
        bytes.split { $0 == 0x0A || $0 == 0x0D }.suffix(3).map { String(decoding: $0, as: UTF8.self) }.joined(separator: "; ")
    }
}

extension ProcessEnvironment {
    /// For programs of the system.
    static var ofSystem: ProcessEnvironment {
        var environment = ProcessEnvironment.empty
        (environment["PATH"], environment["LC_ALL"]) = ("/usr/sbin:/usr/bin:/sbin:/bin", "C")
        return environment
    }
}
