import ChildProcess
import Foundation
import Testing

/// An OpenSSH server that the tests log in to: this machine's own, or that of a newer Debian, which .ci/install-sshd-roots fetches.
enum OpenSSH: String, CaseIterable, CustomTestStringConvertible {
    case machine, trixie, sid

    /// Those that can be run here. That another one cannot is reported by VersionTests, as a skipped test with the reason.
    static let here = allCases.filter(\.isHere)

    var testDescription: String { self == .machine ? "this machine's sshd" : "the sshd of Debian \(rawValue)" }

    /// Those that know the token `%C`, and those that do not.
    static let sayingConnection = here.filter { $0 != .machine || machineVersion >= Version(10, 0) }
    static let notSayingConnection = here.filter { $0 == .machine && machineVersion <= Version(9, 2) }

    /// Of this machine's ssh, which is one package with its sshd.
    private static let machineVersion: Version = {
        let answer = try? ChildProcess.run(
            Machine.path("ssh") ?? "", ["-V"], environment: .inherited(), errorOutput: .captured(limit: 256), deadline: 5000)
        return answer.flatMap { Version(in: String(decoding: $0.errorOutput, as: UTF8.self)) } ?? Version(0, 0)
    }()

    /// What it is unpacked from; nil for this machine's own.
    var archive: URL? {
        self == .machine ? nil : Machine.packageRoot.appendingPathComponent(".build/sshd-roots/\(rawValue).tar")
    }

    var isHere: Bool { whyNotHere == nil }
    var notHere: Comment { "\(testDescription): \(whyNotHere ?? "")" }

    private var whyNotHere: String? {
        guard let archive else { return nil }
        if !FileManager.default.fileExists(atPath: archive.path) { return "it is not here (.ci/install-sshd-roots)" }
        return OpenSSH.whyNoRoots
    }

    /// Why no other system than this machine's own can be run here, or nil.
    static let whyNoRoots: String? = {
        for program in ["unshare", "nsenter", "chroot", "mount", "mknod", "tar"] where Machine.path(program) == nil {
            return "\(program) is not installed"
        }
        let attempt = try? ChildProcess.run(
            Machine.path("unshare") ?? "",
            ["--mount", "--propagation", "private", "--pid", "--fork", "mount", "-t", "tmpfs", "none", "/mnt"],
            environment: .inherited(), deadline: 5000)
        return attempt?.succeeded == true ? nil : "this machine allows no mount namespace, in which alone it can run"
    }()

    /// A version as it stands in a greeting: `SSH-2.0-OpenSSH_9.2p1 Debian-2` is 9.2.
    struct Version: Comparable, CustomStringConvertible {
        let major: Int
        let minor: Int

        var description: String { "\(major).\(minor)" }

        init(_ major: Int, _ minor: Int) {
            self.major = major
            self.minor = minor
        }

        init?(in text: String) {
            guard let start = text.range(of: "OpenSSH_")?.upperBound else { return nil }
            let numbers = text[start...].prefix { $0.isNumber || $0 == "." }.split(separator: ".").compactMap { Int($0) }
            guard numbers.count >= 2 else { return nil }
            self.init(numbers[0], numbers[1])
        }

        static func < (one: Version, other: Version) -> Bool { (one.major, one.minor) < (other.major, other.minor) }
    }
}
