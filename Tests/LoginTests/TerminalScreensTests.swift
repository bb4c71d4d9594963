import Foundation
import TestSupport
import Testing

@testable import Login

/// More screens of a person, whole, in the golden folder: `OPK_GOLDEN=write` writes them anew.
@Suite(
    "opk: the screens of a person, from the first login to the last logout", .serialized,
    .enabled(if: TerminalTests.isPossible && RefreshDesk.isPossible))
struct TerminalScreensTests {
    /// What `opk` with these words shows, from its start to its end.
    private func screen(
        _ name: String, _ arguments: [String], steps: [[String]] = [], columns: Int = 100, environment: [String: String] = [:],
        in home: TemporaryFolder,
        wrapper: [String] = []
    ) async throws {
        let seen = try await TerminalTests.run(
            arguments, steps: steps + [["end"]], columns: columns, environment: environment, home: home, wrapper: wrapper)
        try TerminalTests.compare(seen, name, home: home)
    }

    @Test("a login in the browser that goes well")
    func browser() async throws {
        let home = try TemporaryFolder()
        try home.write(Array("#!/bin/sh\nexec curl -sSL -o /dev/null \"$1\"\n".utf8), to: "browser", mode: 0o700)
        let seen = try await TerminalTests.logIn(
            ["--redirect-uri", "http://localhost:0/cb"], steps: [["end"]], provider: ["--auto-login", "alice"],
            environment: ["BROWSER": home.path + "/browser"], home: home)
        try TerminalTests.compare(seen, "browser", home: home)
    }

    @Test("the choice of a provider: on a page, and in the terminal, where a wrong number is asked for again")
    func chooser() async throws {
        let home = try TerminalMannersTests.chooserHome()
        try await screen(
            "chooser-page", ["login"], steps: [["see", "left"], ["snapshot", "while it waits"], ["type", "\u{3}"]],
            environment: ["BROWSER": home.path + "/browser"], in: home)
        try await screen(
            "chooser-terminal", ["login", "--no-browser"],
            steps: [["see", "Enter"], ["type", "7\r"], ["see", "none of them"], ["type", "\u{3}"]],
            in: home)
    }

    @Test("an error, with what to run next")
    func error() async throws {
        try await screen("error", ["login", "gogle"], in: try TemporaryFolder())
    }

    @Test("opk status: nobody, one that has ended beside one that is good, and the logout of all")
    func status() async throws {
        let desk = try await RefreshDesk()
        try await screen("status-none", ["status"], in: desk.folder)
        try await desk.control(#"{"issued_at_offset": 0}"#)
        #expect(try await desk.opk(["login", "work", "--valid-for", "2s", "--timeout", "60s"]).status == 0)
        let other = ["login", "--provider", desk.issuer + ",opk-demo", "--redirect-uri", "http://localhost:0/cb", "--timeout", "60s"]
        #expect(try await desk.opk(other + ["-i", desk.folder.path + "/other"]).status == 0)
        try await Task.sleep(for: .seconds(3))
        try await screen("status", ["status"], in: desk.folder)
        try await screen("status-ended", ["status", "work"], in: desk.folder)
        try await screen("logout-which", ["logout"], in: desk.folder)
        try await screen("logout", ["logout", "--all"], in: desk.folder)
    }

    /// opk writes for ssh only below the home folder that the user database names: a copy of it in a mount namespace names the test's.
    private static let canHaveHome: Bool = {
        guard getuid() == 0, FileManager.default.isExecutableFile(atPath: "/usr/bin/unshare") else { return false }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
        process.arguments = ["--mount", "--propagation", "private", "true"]
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    @Test(
        "opk setup ssh: shown first, written on a yes, and taken away again",
        .enabled(if: canHaveHome && FileManager.default.isExecutableFile(atPath: "/usr/bin/ssh"), "needs root, a mount namespace and ssh"))
    func setupSSH() async throws {
        let home = try TemporaryFolder()
        let configuration = """
            providers:
              - alias: work
                issuer: https://idp.example.com
                client_id: opk
                hosts: ["*.example.com", "!old.example.com"]

            """
        try home.write(Array(configuration.utf8), to: ".opk/config.yml")
        try home.write(Array("Host *\n    ServerAliveInterval 30\n".utf8), to: ".ssh/config")
        try home.write(Array("root:x:0:0:root:\(home.path):/bin/sh\n".utf8), to: "passwd", mode: 0o644)
        let script = "mount --bind \(home.path)/passwd /etc/passwd && exec \"$@\""
        let wrapper = ["/usr/bin/unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]
        let before = try home.read(".ssh/config")
        try await screen("setup-ssh", ["setup", "ssh"], steps: [["see", "y/N"], ["type", "y\r"]], in: home, wrapper: wrapper)
        #expect(home.names.contains(".ssh/opk/config"))
        try await screen(
            "setup-ssh-undo", ["setup", "ssh", "--undo"], steps: [["see", "y/N"], ["type", "y\r"]], in: home, wrapper: wrapper)
        #expect(try home.read(".ssh/config") == before)
    }
}
