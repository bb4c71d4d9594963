import ChildProcess
import Foundation
import Testing

/// What this machine has of what the end-to-end tests need.
enum Machine {
    static let packageRoot = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Where the programs lie: `OPK_BIN_DIR`, else the release build, else the debug build.
    static let programs: URL? = {
        let named = ProcessInfo.processInfo.environment["OPK_BIN_DIR"].map { [URL(fileURLWithPath: $0)] }
        let built = ["release", "debug"].map { packageRoot.appendingPathComponent(".build/\($0)") }
        return (named ?? built).first { folder in
            ["opk", "opk-verify", "opk-fetch", "opk-home", "opk-session", "opk-demo-provider"].allSatisfy {
                FileManager.default.isExecutableFile(atPath: folder.appendingPathComponent($0).path)
            }
        }
    }()

    /// The absolute path of a program of the system.
    static func path(_ program: String) -> String? {
        ["/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/", "/usr/local/bin/"].map { $0 + program }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Why no real sshd can be run here, or nil.
    static let whyNoServer: String? = {
        if getuid() != 0 { return "a real sshd with accounts of its own needs root" }
        if programs == nil { return "the programs are not built (make build; OPK_BIN_DIR names another folder)" }
        for program in ["sshd", "ssh", "ssh-keygen", "scp", "sftp", "curl", "useradd", "userdel", "script", "setpriv"]
        where path(program) == nil { return "\(program) is not installed" }
        return nil
    }()

    static let canServe = whyNoServer == nil
    static let noServer: Comment = "\(whyNoServer ?? "")"

    /// `../shared/providers`, or where OPK_SHARED says.
    static let providerScripts: URL = {
        let shared =
            ProcessInfo.processInfo.environment["OPK_SHARED"].map { URL(fileURLWithPath: $0, relativeTo: packageRoot) }
            ?? packageRoot.deletingLastPathComponent().appendingPathComponent("shared")
        return shared.appendingPathComponent("providers")
    }()

    static let whyNoGlewlwyd: String? = {
        if !FileManager.default.fileExists(atPath: providerScripts.appendingPathComponent("glewlwyd-op.sh").path) {
            return "the script that starts it (../shared/providers) is not here"
        }
        for program in ["glewlwyd", "rnbyc", "sqlite3", "python3", "bash"] where path(program) == nil {
            return "\(program) is not installed (.ci/install-test-packages)"
        }
        return nil
    }()

    static let hasGlewlwyd = whyNoGlewlwyd == nil
    static let noGlewlwyd: Comment = "glewlwyd: \(whyNoGlewlwyd ?? "")"

    /// Debian's own, where .ci/install-test-packages unpacks it.
    static let opkssh = packageRoot.appendingPathComponent(".build/opkssh/usr/bin/opkssh")

    static let whyNoOpkssh: String? = {
        if !FileManager.default.isExecutableFile(atPath: opkssh.path) { return "it is not here (.ci/install-test-packages)" }
        for program in ["unshare", "mount", "openssl", "python3"] where path(program) == nil { return "\(program) is not installed" }
        let attempt = try? ChildProcess.run(
            path("unshare") ?? "", ["--mount", "--propagation", "private", "true"], environment: .inherited(), deadline: 5000)
        return attempt?.succeeded == true ? nil : "this machine allows no mount namespace, in which alone it can have an /etc/opk"
    }()

    static let hasOpkssh = whyNoOpkssh == nil
    static let noOpkssh: Comment = "opkssh: \(whyNoOpkssh ?? "")"

    static let whyNoCopy: String? = {
        for program in ["unshare", "nsenter", "chroot", "mount", "mknod", "sudo", "visudo", "runuser", "bash", "pgrep"]
        where path(program) == nil {
            return "\(program) is not installed"
        }
        if !FileManager.default.isExecutableFile(atPath: packageRoot.appendingPathComponent(".build/release/opk-verify").path) {
            return "make install wants a release build (make build)"
        }
        // As the copy is made, and gone with its namespace.
        let overlay = """
            mount -t tmpfs none /mnt && mkdir /mnt/upper /mnt/work /mnt/root &&
            mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
            """
        let attempt = try? ChildProcess.run(
            path("unshare") ?? "", ["--mount", "--propagation", "private", "sh", "-c", overlay], environment: .inherited(), deadline: 5000)
        return attempt?.succeeded == true ? nil : "this machine allows no overlay over its root"
    }()

    /// Why no copy of this machine can be made that needs no `make install`, or nil.
    static let whyNoOverlay: String? = {
        for program in ["unshare", "nsenter", "chroot", "mount", "mknod", "bash", "pgrep", "useradd"] where path(program) == nil {
            return "\(program) is not installed"
        }
        let modules = ["/usr/lib", "/lib"].flatMap { folder in
            ["x86_64-linux-gnu", "aarch64-linux-gnu", ""].map { "\(folder)/\($0)/security/pam_exec.so" }
        }
        if !modules.contains(where: FileManager.default.fileExists) { return "PAM has no pam_exec.so here" }
        let overlay = """
            mount -t tmpfs none /mnt && mkdir /mnt/upper /mnt/work /mnt/root &&
            mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
            """
        let attempt = try? ChildProcess.run(
            path("unshare") ?? "", ["--mount", "--propagation", "private", "sh", "-c", overlay], environment: .inherited(), deadline: 5000)
        return attempt?.succeeded == true ? nil : "this machine allows no overlay over its root"
    }()

    static let canOverlay = whyNoOverlay == nil
    static let noOverlay: Comment = "a copy of this machine: \(whyNoOverlay ?? "")"

    static let canCopy = whyNoCopy == nil
    static let noCopy: Comment = "a copy of this machine: \(whyNoCopy ?? "")"

    /// Whether there is an ::1.
    static let hasIPv6: Bool = {
        let addresses = (try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8)) ?? ""
        return addresses.split(separator: "\n").contains { $0.hasPrefix(String(repeating: "0", count: 31) + "1 ") }
    }()

    /// A TCP port of 127.0.0.1 that nobody has, a moment ago.
    static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard bound else { throw HarnessError("no free port") }
        return UInt16(bigEndian: address.sin_port)
    }
}

/// The harness itself failed, not what it tests.
struct HarnessError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
