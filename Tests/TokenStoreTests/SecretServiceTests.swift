import ChildProcess
import Foundation
import Testing
import Vocabulary

@testable import TokenStore

/// A session bus of its own with a GNOME Keyring on it, unlocked, that is gone when the test is over.
private final class PrivateDesktop {
    let home: Home
    let environment: ProcessEnvironment
    private let bus: pid_t

    init() throws {
        home = try Home()
        var environment = ProcessEnvironment(
            entries: ["HOME=\(home.path)", "PATH=/usr/bin:/bin", "XDG_RUNTIME_DIR=\(home.path)"].map { Array($0.utf8) })
        // It puts itself into the background, and the keyring ends with it.
        let started = try ChildProcess.run(
            try #require(Tools.path("setsid")),
            ["--wait", try #require(Tools.path("dbus-daemon")), "--session", "--fork", "--print-address=1", "--print-pid=1"],
            environment: environment,
            deadline: 20_000)
        let lines = String(decoding: started.output, as: UTF8.self).split(separator: "\n").map(String.init)
        bus = try #require(lines.last.flatMap { pid_t($0) })
        environment["DBUS_SESSION_BUS_ADDRESS"] = lines.first
        self.environment = environment
        let unlocked = try ChildProcess.run(
            // In a process group of its own: what is left of a child's is killed when the child has ended.
            try #require(Tools.path("setsid")),
            ["--wait", try #require(Tools.path("gnome-keyring-daemon")), "--unlock", "--components=secrets"], environment: environment,
            input: Array("password".utf8), deadline: 20_000)
        #expect(unlocked.succeeded)
        try waitForCollection()
    }

    /// The daemon makes its collection after it said that it is unlocked; until then it takes nothing.
    private func waitForCollection() throws {
        let tool = try #require(Tools.path("secret-tool"))
        for _ in 0..<200 {
            let stored = try ChildProcess.run(
                tool, ["store", "--label", "probe", "service", "probe"], environment: environment, input: Array("probe".utf8),
                deadline: 20_000)
            if stored.succeeded {
                let found = try ChildProcess.run(tool, ["lookup", "service", "probe"], environment: environment, deadline: 20_000)
                if found.output == Array("probe".utf8) { return }
            }
            usleep(50_000)
        }
        Issue.record("the keyring has no collection after 10 seconds")
    }

    deinit { kill(bus, SIGKILL) }
}

@Suite("Refresh tokens in the Secret Service")
struct SecretServiceTests {
    @Test(
        "kept, replaced, read and taken away by secret-tool, in a real GNOME Keyring",
        .enabled(if: Tools.hasSecretService, "no gnome-keyring, secret-tool or dbus-daemon"))
    func roundTrip() throws {
        let desktop = try PrivateDesktop()
        let store = TokenStore(below: desktop.home.path, environment: desktop.environment)
        let name = try someName()
        try store.check(.secretService)
        #expect(try store.token(name, in: .secretService) == nil)
        try store.keep(example, name, in: .secretService)
        #expect(try store.token(name, in: .secretService) == example)
        var next = example
        next.token = Secret([UInt8](repeating: 0x41, count: 5000))
        try store.keep(next, name, in: .secretService)
        #expect(try store.token(name, in: .secretService) == next)
        try store.remove(name, from: .secretService)
        try store.remove(name, from: .secretService)
        #expect(try store.token(name, in: .secretService) == nil)
    }

    @Test("C38: secret-tool never sees the token in its arguments or its environment, and is looked for in absolute folders alone")
    func arguments() throws {
        let home = try Home()
        let script =
            "#!/bin/sh\nenv >> \(home.path)/seen; echo \"$@\" >> \(home.path)/seen; [ \"$1\" = store ] && cat > \(home.path)/kept; cat \(home.path)/kept\n"
        try Data(script.utf8).write(to: URL(fileURLWithPath: home.path + "/secret-tool"))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: home.path + "/secret-tool")
        let secret = "OPK_SECRET=s3cret-of-the-environment"
        var environment = ProcessEnvironment(entries: [Array("PATH=.:relative:\(home.path):/usr/bin:/bin".utf8), Array(secret.utf8)])
        let name = try someName()
        try TokenStore(below: home.path, environment: environment).keep(example, name, in: .secretService)
        let seen = try String(contentsOfFile: home.path + "/seen", encoding: .utf8)
        #expect(seen.contains("store --label") && seen.contains("service opk name \(name)"))
        #expect(!seen.contains("r-1") && !seen.contains("s3cret"))
        environment["PATH"] = "relative:."
        #expect(throws: TokenStoreError.noSecretTool) {
            try TokenStore(below: home.path, environment: environment).check(.secretService)
        }
    }

    @Test(
        "a Secret Service that is not there is an error that says what it said",
        .enabled(if: Tools.path("secret-tool") != nil, "no secret-tool"))
    func absent() throws {
        let environment = ProcessEnvironment(entries: [Array("PATH=/usr/bin:/bin".utf8), Array("HOME=/nonexistent".utf8)])
        let error = #expect(throws: TokenStoreError.self) {
            try TokenStore(below: "/nonexistent", environment: environment).check(.secretService)
        }
        #expect(try #require(error).hint?.contains("--refresh-token-store") == true)
    }
}
