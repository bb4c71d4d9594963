import ChildProcess
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Auditor {
    /// What sshd says that it will do, by its own reading of its own files. Nil where it is not here or does not say, which is then a finding.
    mutating func askSSHD() -> SSHDSettings? {
        guard let sshd = places.sshd else {
            found.add(.sshdAbsent, "", "there is no sshd here: nothing about it was looked at")
            return nil
        }
        // A version without -V says which it is while it complains.
        if let said = try? Auditor.run(sshd, ["-V"]) {
            sshdVersion = SSHDVersion(in: String(decoding: said.errorOutput + said.output, as: UTF8.self))
        }
        var complaint = ""
        // -G came with 9.3, and wants neither host keys nor a running sshd's folder.
        for option in ["-T", "-G"] {
            do {
                let said = try Auditor.run(sshd, [option] + configWords)
                if said.succeeded { return SSHDSettings(parsing: said.output) }
                if option == "-G", Text(said.errorOutput.first(80)).string.contains("option -- G") { break }
                complaint = said.errorOutput.firstLine
            } catch {
                complaint = "\(error)"
            }
        }
        let isOurs = geteuid() == 0 && !complaint.contains("privilege separation directory")
        let sentence = "sshd does not say what it will do: \(Text(complaint).escapedOnce(limit: 300))"
        found.add(
            isOurs ? .sshdConfig : .notLookedAt, places.sshdConfig ?? SSHDFiles.defaultFile, sentence,
            remedy: isOurs ? "\(shellWord(sshd)) -t" : geteuid() == 0 ? "start sshd once" : "sudo opk audit")
        return nil
    }

    /// The same for one account's connections from this machine; nil where sshd does not say.
    func askSSHD(about account: String) -> SSHDSettings? {
        guard let sshd = places.sshd else { return nil }
        let connection = "user=\(account),host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22"
        guard !account.contains(","), let said = try? Auditor.run(sshd, ["-T", "-C", connection] + configWords), said.succeeded
        else { return nil }
        return SSHDSettings(parsing: said.output)
    }

    private var configWords: [String] { places.sshdConfig.map { ["-f", $0] } ?? [] }

    static func run(_ program: String, _ words: [String], input: [UInt8] = []) throws(ChildFailure) -> ChildProcess.Outcome {
        var environment = ProcessEnvironment.empty
        (environment["PATH"], environment["LC_ALL"]) = ("/usr/sbin:/usr/bin:/sbin:/bin", "C")
        return try ChildProcess.run(
            program, words, environment: environment, input: input, outputLimit: 4 << 20, errorOutput: .captured(limit: 64 << 10),
            deadline: 10_000)
    }
}

extension [UInt8] {
    /// For an error message of another program's.
    var firstLine: String {
        String(decoding: split { $0 == 0x0A || $0 == 0x0D }.first ?? [], as: UTF8.self)
    }

    fileprivate func first(_ count: Int) -> String { String(decoding: prefix(count), as: UTF8.self) }
}
