import Foundation

/// Throw-away accounts of this machine, named `opk-e2e-PID-NAME`, and what a run that was killed left of them.
enum Accounts {
    static let prefix = "opk-e2e-"

    static func name(_ name: String) -> String { "\(prefix)\(getpid())-\(name)" }

    /// An account that can log in by key only. Its home folder is its own.
    static func make(_ account: String, home: URL) async throws {
        // "*": no password fits, and yet the account is not locked, which sshd without PAM would mind.
        try await Command.mustRun(
            "useradd", ["--no-create-home", "--home-dir", home.path, "--shell", "/bin/sh", "--password", "*", account])
        try await Command.mustRun("install", ["-d", "-m", "0755", "-o", account, home.path])
    }

    static func remove(_ account: String) async {
        _ = try? await Command.run("userdel", [account])
    }

    /// Removes the accounts and folders of runs that are over.
    static func removeLeftovers(in folders: [URL]) async {
        let lines = (try? String(contentsOfFile: "/etc/passwd", encoding: .utf8))?.split(separator: "\n") ?? []
        for account in lines.compactMap({ $0.split(separator: ":").first.map(String.init) }) where isLeftover(account) {
            await remove(account)
        }
        for folder in folders {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [] where isLeftover(name) {
                try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
            }
        }
    }

    private static func isLeftover(_ name: String) -> Bool {
        guard name.hasPrefix(prefix), let owner = pid_t(name.dropFirst(prefix.count).prefix { $0.isNumber }), owner > 0 else {
            return false
        }
        return kill(owner, 0) != 0 && errno == ESRCH
    }
}
