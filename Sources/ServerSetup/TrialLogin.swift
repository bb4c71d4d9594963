import CSystem
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A real login: sshd itself, for one connection on a port of 127.0.0.1 that nobody knows, and ssh with a certificate.
///
/// `sshd -t` does not see what happens when somebody comes: an AuthorizedKeysCommand that sshd will not run since others could have written it, one that SELinux
/// does not let it run, `%C` where it does not know that, AllowUsers, AuthenticationMethods, algorithms, a locked account.
struct TrialLogin {
    let sshd: String
    let ssh: String
    let folder: TrialFolder

    /// Milliseconds; PAM and a home folder on a file server take their time.
    private static let patience: Int64 = 30_000

    enum Outcome {
        case admitted
        /// Let in, and then its command ended so.
        case sessionFailed(String)
        case refused(String)
    }

    /// Runs `true` as that account.
    func run(as account: String) -> Outcome {
        let listener = LoopbackListener()
        guard let listener else { return .refused("no port of 127.0.0.1 can be had: \(systemErrorText(errno))") }
        defer { close(listener.descriptor) }
        let log = unsafe opk_open(folder.log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        let said = unsafe opk_open(folder.said, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        defer { for descriptor in [log, said] where descriptor >= 0 { close(descriptor) } }
        guard log >= 0, said >= 0 else { return .refused("\(folder.path) cannot be written: \(systemErrorText(errno))") }
        let null = Int32(OPK_NULL_DEVICE)
        guard let client = TrialLogin.start(ssh, sshWords(account, listener.port), input: null, output: said, errors: said) else {
            return .refused("ssh cannot be started")
        }
        let end = monotonic() + TrialLogin.patience
        var server: pid_t?
        var status: Int32?
        while status == nil, monotonic() < end, !Interruption.isNoted {
            if server == nil, let connection = listener.accept(within: 50) {
                server = TrialLogin.start(sshd, ["-i", "-e", "-f", folder.config], input: connection, output: connection, errors: log)
                close(connection)
            } else if server != nil {
                usleep(20_000)
            }
            status = TrialLogin.reap(client)
        }
        if status == nil {
            kill(client, SIGKILL)
            TrialLogin.wait(client)
        }
        if let server {
            // It ends with the connection; a session that hangs is not waited for.
            let last = monotonic() + 2000
            while monotonic() < last, TrialLogin.reap(server) == nil { usleep(20_000) }
            kill(-server, SIGKILL)
            TrialLogin.wait(server)
        }
        return outcome(status)
    }

    /// What sshd and ssh said, at most so many lines, the last ones.
    func lines(_ limit: Int = 12) -> [String] {
        [folder.log, folder.said].flatMap { path in
            let bytes = (try? BoundedInput.read(path, limit: 1 << 20)) ?? []
            return bytes.split { $0 == 0x0A || $0 == 0x0D }.suffix(limit / 2).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    private func outcome(_ status: Int32?) -> Outcome {
        let log = String(decoding: (try? BoundedInput.read(folder.log, limit: 1 << 20)) ?? [], as: UTF8.self)
        let isIn = log.contains("Accepted publickey for ")
        switch status {
        case 0? where isIn: return .admitted
        case nil where Interruption.isNoted: return .refused("interrupted")
        case nil: return .refused("it was not over after \(TrialLogin.patience / 1000) seconds")
        case let status? where isIn: return .sessionFailed("sshd let it in, and then the session ended with status \(status)")
        default: return .refused(TrialLogin.reason(in: log))
        }
    }

    /// The line of sshd's log that says most.
    private static func reason(in log: String) -> String {
        let telling = [
            "Unsafe AuthorizedKeysCommand", "AuthorizedKeysCommand ", "not in PubkeyAcceptedAlgorithms", "not allowed because",
            "account is locked",
            "Authentication refused", "certificate", "Permission denied", "PAM", "fatal:", "error:",
        ]
        let lines = log.split { $0.isNewline }.map(String.init)
        for word in telling {
            if let line = lines.last(where: { $0.contains(word) }) { return "sshd says: \(Text(line).escapedOnce(limit: 300))" }
        }
        return "sshd did not accept the certificate"
    }

    private func sshWords(_ account: String, _ port: UInt16) -> [String] {
        let options = [
            "BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "GlobalKnownHostsFile=/dev/null",
            "IdentitiesOnly=yes",
            "IdentityAgent=none", "PreferredAuthentications=publickey", "ConnectTimeout=10", "LogLevel=ERROR", "ControlPath=none",
            "CertificateFile=\(folder.path)/key-cert.pub", "ProxyCommand=none", "ClearAllForwardings=yes",
        ]
        return ["-F", "none"] + options.flatMap { ["-o", $0] }
            + ["-i", folder.path + "/key", "-p", String(port), "-l", account, "127.0.0.1", "true"]
    }

    private static func start(_ program: String, _ words: [String], input: Int32, output: Int32, errors: Int32) -> pid_t? {
        func packed(_ strings: [String]) -> [UInt8] { strings.flatMap { Array($0.utf8) + [0] } }
        let (argv, envp) = (packed([program] + words), packed(["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/root"]))
        var child: pid_t = 0
        // The arrays outlive the call, which keeps none of them.
        return unsafe opk_spawn(&child, program, argv, argv.count, envp, envp.count, input, output, errors) == 0 ? child : nil
    }

    /// The exit status, or 128 and the signal's number; nil while it runs.
    private static func reap(_ child: pid_t) -> Int32? {
        var status: Int32 = 0
        guard unsafe waitpid(child, &status, WNOHANG) == child else { return nil }
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }

    private static func wait(_ child: pid_t) {
        var status: Int32 = 0
        while unsafe waitpid(child, &status, 0) < 0, errno == EINTR {}
    }
}

/// In milliseconds.
func monotonic() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}
