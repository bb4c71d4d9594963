import Foundation
import JOSE
import MintingKit
import Testing
import Vocabulary

@Suite("opk-verify: in surroundings that sshd would not give", .serialized)
struct SurroundingsTests {
    let doorway: Doorway
    let login: MintedLogin

    init() throws {
        doorway = try Doorway()
        login = try doorway.login()
    }

    @Test("With an empty environment it decides all the same, and fetches")
    func emptyEnvironment() throws {
        doorway.serve(login.keys)
        let run = try doorway.ask(login, environment: [:])
        #expect(run.admitted && doorway.asked.count == 2, "\(run)")
    }

    @Test(
        "With an OpenSSL configuration that leaves the algorithms out it refuses, says so, and does not crash",
        arguments: [TestKeys.rsa, TestKeys.p256, TestKeys.ed25519].indices)
    func crippledOpenSSL(_ index: Int) throws {
        let path = doorway.config + "/openssl.cnf"
        try """
        openssl_conf = init
        [init]
        providers = providers
        [providers]
        base = base
        [base]
        activate = 1

        """.write(toFile: path, atomically: true, encoding: .utf8)
        let keys = [TestKeys.rsa, TestKeys.p256, TestKeys.ed25519]
        let run = try doorway.ask(try MintedLogin(userKey: keys[index]), environment: ["OPENSSL_CONF": path])
        #expect(run.refused(1, "step=1 reason=cryptography-unavailable "), "\(run)")
    }

    /// The shell's trap will not do: dash leaves this one signal alone.
    private static let ignoring = "exec env --ignore-signal=CHLD \"$@\""
    static let canIgnore: Bool =
        (try? Program.shell(ignoring, "grep", "-q", "^SigIgn:.*1....$", "/proc/self/status"))?.status == 0

    @Test(
        "With SIGCHLD ignored, as a careless caller leaves it, opk-fetch is still waited for and believed",
        .enabled(if: canIgnore, "no env(1) that can ignore a signal"))
    func ignoredChildren() throws {
        doorway.serve(login.keys)
        let run = try doorway.ask(login, surroundings: Self.ignoring)
        #expect(run.admitted && doorway.asked.count == 2, "\(run)")
    }

    @Test(
        "With standard descriptors closed no file of the configuration takes their place",
        arguments: ["<&-", ">&-", "2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
    func closedDescriptors(_ closed: String) throws {
        try doorway.keep(login.keys)
        let files = try FilesTests.names.filter { $0 != "config.yml" }.map { try contents($0) }
        let run = try doorway.ask(login, surroundings: "exec \(closed)")
        #expect(run.ending == .exited(0), "\(run)")
        #expect(closed.contains(" >&-") || closed.hasPrefix(">&-") ? run.output.isEmpty : run.output.hasPrefix("cert-authority,"), "\(run)")
        #expect(run.terminalLines.count == (closed.contains("2>&-") ? 0 : 1))
        #expect(try FilesTests.names.filter { $0 != "config.yml" }.map { try contents($0) } == files)
    }

    @Test("The same where the keys have to be fetched", arguments: ["<&-", "<&- 2>&-"])
    func closedDescriptorsAndFetch(_ closed: String) throws {
        doorway.serve(login.keys)
        let run = try doorway.ask(login, surroundings: "exec \(closed)")
        #expect(run.ending == .exited(0) && run.output.hasPrefix("cert-authority,"), "\(run)")
    }

    private func contents(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: doorway.config + "/" + name)))
    }

    @Test("Where files cannot be opened for want of descriptors, that is a refusal and no crash", arguments: 3...12)
    func fewDescriptors(_ count: Int) throws {
        doorway.serve(login.keys)
        let run = try doorway.ask(login, surroundings: "ulimit -n \(count)")
        // 127: the dynamic linker could not open a library.
        let status = try #require(run.status, "\(run)")
        #expect([0, 1, 2, 127].contains(status), "\(run)")
        #expect(status == 0 ? run.admitted : run.output.isEmpty, "\(run)")
        #expect(status != 127 ? run.terminalLines.count == 1 : true, "\(run)")
    }

    // Where the Swift runtime cannot allocate it aborts, so a signal is possible between what it needs to start and what it needs to decide.
    @Test("With too little memory there is no answer, and with enough the right one", arguments: [4, 8, 16, 20, 23, 26, 32, 64, 1024])
    func littleMemory(_ mebibytes: Int) throws {
        try doorway.keep(login.keys)
        let run = try doorway.ask(login, surroundings: "ulimit -v \(mebibytes * 1024)")
        #expect(run.ending == .exited(0) ? run.admitted : run.output.isEmpty, "\(run)")
        #expect(mebibytes < 1024 || run.admitted, "\(run)")
    }

    @Test("Where opk-fetch cannot be started the keys are not available")
    func notStarted() throws {
        let program = try doorway.program(withFetcher: "exit 0")
        #expect(chmod(doorway.folder + "/libexec/opk-fetch", 0o644) == 0)
        let run = try doorway.ask(login, program: program)
        #expect(run.refused(1, "reason=keys-unavailable ", "opk-fetch cannot be run"), "\(run)")
    }

    @Test("An opk-fetch that dies, talks nonsense, says too much or is not there is a refusal that says so")
    func brokenFetcher() throws {
        for (script, words) in [
            ("kill -9 $$", "signal 9"), ("echo nonsense", "nonsense"), ("exit 0", "answered nothing"),
            ("echo why not >&2; exit 1", "why not"),
            ("printf 'a\\033[2J\\nb' >&2; exit 1", "a\\u{1b}[2J"), ("exec yes", "opk-fetch"),
        ] {
            let doorway = try Doorway()
            let program = try doorway.program(withFetcher: script)
            let run = try doorway.ask(try doorway.login(), program: program)
            #expect(run.refused(1, "reason=keys-unavailable ", words), "\(script): \(run)")
        }
        let program = try doorway.program(withFetcher: "")
        try FileManager.default.removeItem(atPath: doorway.folder + "/libexec/opk-fetch")
        let run = try doorway.ask(login, program: program)
        #expect(run.refused(1, "reason=keys-unavailable ", "cannot be run"), "\(run)")
    }

    @Test("opk-fetch is the one beside opk-verify, whatever PATH and the working folder say")
    func besideItself() throws {
        let elsewhere = doorway.folder + "/elsewhere"
        try FileManager.default.createDirectory(atPath: elsewhere, withIntermediateDirectories: false)
        let evil = "#!/bin/sh\n: >'\(doorway.folder)/evil'\n"
        try Data(evil.utf8).write(to: URL(fileURLWithPath: elsewhere + "/opk-fetch"))
        #expect(chmod(elsewhere + "/opk-fetch", 0o755) == 0)
        doorway.serve(login.keys)
        var environment = Doorway.environment
        environment["PATH"] = elsewhere + ":/usr/bin:/bin"
        let run = try doorway.ask(login, environment: environment, surroundings: "cd '\(elsewhere)'")
        #expect(run.admitted && !FileManager.default.fileExists(atPath: doorway.folder + "/evil"), "\(run)")
    }
}
