import Audit
import ChildProcess
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The sshd that runs now, whose configuration is read anew at a reload and not before.
struct RunningSSHD: Sendable {
    let process: pid_t
    /// Its command line.
    let words: [String]

    /// Nil where none runs: the one that sshd's own PidFile names, if that is an sshd.
    init?(pidFile: String, sshd: String) {
        guard let bytes = try? BoundedInput.read(pidFile, limit: 64),
            let number = pid_t(String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)), number > 1,
            let line = try? BoundedInput.read("/proc/\(number)/cmdline", limit: 1 << 16)
        else { return nil }
        // The program may have been replaced by an upgrade since.
        var buffer = [CChar](repeating: 0, count: 4096)
        // Writes at most so many bytes into a buffer that outlives the call.
        let count = unsafe readlink("/proc/\(number)/exe", &buffer, buffer.count)
        guard count > 0 else { return nil }
        let program = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard (program.split(separator: "/").last ?? "").hasPrefix("sshd") else { return nil }
        process = number
        // sshd calls itself `sshd: PROGRAM WORDS [listener] …`, in one piece.
        words = line.split { $0 == 0 || $0 == 0x20 }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// What its command line says about our keywords, which no file can outweigh.
    var outweighing: String? {
        let isOurs = { (word: String) in Text(word).lowercasedASCII.string.contains("authorizedkeyscommand") }
        return words.contains(where: isOurs) ? words.joined(separator: " ") : nil
    }

    /// Has it read its configuration anew, and looks whether it is there afterwards.
    func reload(_ places: ServerPlaces, ports: [UInt16]) throws(ServerSetupError) {
        if unsafe access(places.systemd, F_OK) == 0, let unit = RunningSSHD.unit() {
            let said = try? ChildProcess.run(
                "/usr/bin/systemctl", ["reload", unit], environment: .ofSystem, errorOutput: .captured(limit: 4096), deadline: 30_000)
            guard let said, said.succeeded else {
                throw .reload("systemctl reload \(unit): \(Text(SSHDQuestion.words(said?.errorOutput ?? [])).escapedOnce(limit: 300))")
            }
        } else {
            guard kill(process, SIGHUP) == 0 else { throw .reload(systemErrorText(errno)) }
        }
        let end = monotonic() + 10_000
        // It starts itself anew: for a moment nobody listens.
        usleep(200_000)
        while monotonic() < end {
            if kill(process, 0) != 0 { throw .reload("it has ended") }
            if ports.isEmpty || ports.contains(where: LoopbackListener.greets) { return }
            usleep(100_000)
        }
        throw .reload("it does not answer on 127.0.0.1, port \(ports.map(String.init).joined(separator: ", "))")
    }

    /// Debian calls it ssh, others sshd.
    private static func unit() -> String? {
        ["ssh.service", "sshd.service"].first { name in
            (try? ChildProcess.run("/usr/bin/systemctl", ["is-active", "--quiet", name], environment: .ofSystem, deadline: 10_000))?
                .succeeded ?? false
        }
    }
}
