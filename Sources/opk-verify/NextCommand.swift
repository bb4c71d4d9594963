import CSystem
import ChildProcess
import SSHKeys
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Another AuthorizedKeysCommand, which is asked about keys that are not ours: sshd runs one alone.
///
/// It takes this process's place for a key that is no certificate, before anything is read or given up, and so answers sshd itself: its lines and its
/// status are what they would be without us, but for the user, who is ours. No certificate is shown to it: what we refuse must not come in by another's word.
struct NextCommand {
    let program: String
    /// As sshd has filled them in.
    let words: [[UInt8]]

    /// Whether it is to be asked about this.
    func isFor(_ type: [UInt8]) -> Bool { !SSHCertificate.isCertificateType(type) }

    /// Returns only where it cannot be run, with the reason.
    func takeOver() -> String {
        do {
            try TrustedProgram.check(program, trust: .rootOnly)
        } catch {
            return "\(error)"
        }
        var bytes: [UInt8] = Array(program.utf8) + [0]
        for word in words { bytes += word + [0] }
        var variables: [UInt8] = []
        for entry in NextCommand.environment.entries { variables += entry + [0] }
        // Two strings and two lists of them, all of which outlive the call, which does not return where it succeeds.
        let number = unsafe opk_become(program, bytes, bytes.count, variables, variables.count)
        return "\(Text(program).escaped(limit: 256)) cannot be run: error \(number)"
    }

    /// What sshd gives its command (auth2-pubkey.c, subprocess), and nothing else.
    private static var environment: ProcessEnvironment {
        let given = ProcessEnvironment.inherited()
        var clean = ProcessEnvironment.empty
        clean["PATH"] = "/usr/bin:/bin:/usr/sbin:/sbin"
        for name in ["USER", "LOGNAME", "HOME"] { clean[name] = given[name] }
        return clean
    }
}
