import CSystem
import ChildProcess
import Foundation
import KeyCache
import MintingKit
import TestSupport
import Testing
import Vocabulary

@testable import opk_verify

/// The broker's side of its socket, in a thread of this process.
private final class Served {
    let ours: Int32
    private let ended = DispatchSemaphore(value: 0)

    init(_ words: [[UInt8]], plugins: @escaping @Sendable ([UInt8], Int) -> [UInt8] = { _, _ in [] }) throws {
        guard case .verify(let arguments) = Arguments.parse(words) else { throw CocoaError(.coderInvalidValue) }
        var ends: [Int32] = [-1, -1]
        guard opk_socketpair(&ends) == 0 else { throw POSIXError(.EMFILE) }
        ours = ends[0]
        let (theirs, ended) = (ends[1], ended)
        Thread.detachNewThread {
            Broker(arguments: arguments, mode: .sudo(user: 65_534), plugins: plugins).serve(on: theirs)
            close(theirs)
            ended.signal()
        }
    }

    deinit { close(ours) }

    func say(_ bytes: [UInt8]) { try? TimedStream(descriptor: ours, end: TimedStream.now() + 5000).send(bytes) }

    /// Whether it has given up by then.
    func hasEnded(within seconds: Double = 5) -> Bool { ended.wait(timeout: .now() + seconds) == .success }

    func hear(_ count: Int) throws -> [UInt8] { try TimedStream(descriptor: ours, end: TimedStream.now() + 5000).receive(exactly: count) }
}

@Suite("opk-verify's broker: what it takes for a request") struct BrokerRequestTests {
    // No account's name, so that nothing is started: the answer says so.
    private let words = ["--", "-x", "AAAA", "ssh-ed25519-cert-v01@openssh.com"].map { Array($0.utf8) }
    private static let home = HelperRequest(kind: .home, deadline: 1000, content: []).head

    @Test("A request is a kind, a deadline and a length, and the content is not looked at; an answer comes back whole")
    func frames() throws {
        let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0) }
        let served = try Served(words) { content, _ in content.reversed() }
        let request = HelperRequest(kind: .plugins, deadline: 70_000, content: content)
        #expect(request.head == [4, 0, 1, 0x11, 0x70, 0, 4, 0x93, 0xE0])
        served.say(request.head)
        served.say(content)
        #expect(try served.hear(5) == [0, 0, 4, 0x93, 0xE0])
        #expect(try served.hear(content.count) == content.reversed())
        #expect(HelperRequest.announced(by: request.head)?.deadline == HelperRequest.longest)
    }

    @Test("V56 An account's name that may not be written down is asked about nowhere")
    func unsafeAccount() throws {
        let served = try Served(words)
        served.say(Self.home)
        let head = try #require(HelperAnswer.announced(by: try served.hear(5)))
        #expect(head.status == .failed)
        #expect(String(decoding: try served.hear(head.length), as: UTF8.self).contains("the account's name"))
    }

    @Test(
        "What is no request ends it: another kind, more than a kind may have, half a request",
        arguments: [
            [0, 0, 0, 0, 0, 0, 0, 0, 0], [6, 0, 0, 0, 0, 0, 0, 0, 0], [5, 0, 0, 0, 1, 0, 0, 0, 1],
            [255, 255, 255, 255, 255, 255, 255, 255, 255],
            // home with content; plugins with 1 MiB + 1; fetch with 68 KiB + 1.
            [1, 0, 0, 0, 1, 0, 0, 0, 1], [4, 0, 0, 0, 1, 0, 0x10, 0, 1], [2, 0, 0, 0, 1, 0, 1, 0x10, 1],
            [3, 0, 0, 0, 1, 255, 255, 255, 255],
        ] as [[UInt8]])
    func nonsense(head: [UInt8]) throws {
        let served = try Served(words)
        served.say(head)
        #expect(served.hasEnded())
        #expect(HelperRequest.announced(by: head) == nil)
        let half = try Served(words)
        half.say(Array(Self.home.prefix(5)))
        #expect(!half.hasEnded(within: 0.1))
        shutdown(half.ours, Int32(SHUT_WR))
        #expect(half.hasEnded())
    }

    @Test("Whoever asks and asks is answered as often as one decision may ask, and then no more")
    func flood() throws {
        let served = try Served(words)
        for _ in 0..<1000 { served.say(Self.home) }
        #expect(served.hasEnded())
        var answers = 0
        while let head = try? served.hear(5), let (_, length) = HelperAnswer.announced(by: head), (try? served.hear(length)) != nil {
            answers += 1
        }
        #expect(answers == Broker.mostRequests)
    }

    @Test("An answer that is none, or too long, is not waited for, and nothing more is asked")
    func badAnswers() throws {
        for head: [UInt8] in [[3, 0, 0, 0, 0], [0, 255, 255, 255, 255], [0, 0, 0x20, 0x40, 1], [0, 0, 0]] {
            var ends: [Int32] = [-1, -1]
            guard opk_socketpair(&ends) == 0 else { throw POSIXError(.EMFILE) }
            defer { close(ends[0]) }
            var helpers = Helpers(channel: ends[0])
            _ = head.withUnsafeBytes { write(ends[1], $0.baseAddress, $0.count) }
            close(ends[1])
            #expect(throws: Helpers.Failure.self) { try helpers.ask(.home, within: 1000) }
            #expect(throws: Helpers.Failure.self) { try helpers.ask(.home, within: 1000) }
        }
    }

    @Test("A broker that says nothing is waited for until the deadline, and a little longer")
    func silence() throws {
        var ends: [Int32] = [-1, -1]
        guard opk_socketpair(&ends) == 0 else { throw POSIXError(.EMFILE) }
        defer { for end in ends { close(end) } }
        var helpers = Helpers(channel: ends[0])
        let start = Date()
        #expect(throws: Helpers.Failure.self) { try helpers.ask(.home, within: 100) }
        #expect((0.25..<2).contains(Date().timeIntervalSince(start)))
    }
}

@Suite("opk-verify's broker: a process beside the one that decides", .serialized) struct BrokerTests {
    let doorway: Doorway
    let login: MintedLogin

    init() throws {
        doorway = try Doorway()
        login = try doorway.login()
    }

    private func status(_ process: String) -> [String: String] {
        let text = String(decoding: FileManager.default.contents(atPath: "/proc/\(process)/status") ?? Data(), as: UTF8.self)
        return Dictionary(
            text.split(separator: "\n").compactMap { line in
                line.firstIndex(of: ":").map { (String(line[..<$0]), line[line.index(after: $0)...].trimmingCharacters(in: .whitespaces)) }
            }, uniquingKeysWith: { $1 })
    }

    private func descriptors(_ process: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd")) ?? []).sorted()
            .map { (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/\($0)")) ?? "" }
    }

    @Test("It holds one socket and nothing else, least of all sshd's end of the answer, and is not confined; the one that decides is")
    func idle() throws {
        try doorway.keep(login.keys)
        var held: [String] = []
        var (own, broker) = ([String: String](), [String: String]())
        let run = try Program.run(Program.verify, try doorway.words(login), environment: Doorway.environment, output: .stuck) { process in
            #expect(doorway.eventually { doorway.verifiers.count == 2 && status(String(process))["NoNewPrivs"] == "1" })
            let other = try #require(doorway.verifiers.first { $0 != String(process) })
            (own, broker, held) = (status(String(process)), status(other), descriptors(other))
            #expect(broker["PPid"] == String(process))
            kill(process, SIGKILL)
        }
        #expect(run.ending == .killed(signal: SIGKILL))
        #expect(held.count == 1 && held[0].hasPrefix("socket:"), "\(held)")
        #expect(own["NoNewPrivs"] == "1" && broker["NoNewPrivs"] == "0")
        #expect(doorway.eventually { doorway.verifiers.isEmpty }, "it dies with the other")
    }

    @Test("A key that is no certificate has none")
    func notOurs() throws {
        let trace = doorway.folder + "/trace"
        let run = try Program.run(
            "/bin/sh",
            [
                "-c", "exec strace -f -qq -o '\(trace)' -e trace=clone,clone3,fork,vfork,socketpair \"$@\"", "sh", Program.verify, "--",
                "guest", "AAAA", "ssh-rsa",
            ]
            .map { Array($0.utf8) }, environment: Doorway.environment)
        #expect(run.status == 1)
        #expect(try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n").filter { $0.contains("(") }.isEmpty)
    }

    @Test("Killed while a helper hangs, opk-verify leaves sshd an end of file at once, and no broker")
    func killed() throws {
        let program = try doorway.program(withFetcher: "echo $$ >$here/pid; exec sleep 5")
        let words = try doorway.words(login)
        var start = Date()
        let run = try Program.run(program, words, environment: Doorway.environment) { process in
            #expect(doorway.eventually { doorway.note("pid")?.last == 0x0A })
            start = Date()
            kill(process, SIGKILL)
        }
        // Standard output and the terminal have ended by now.
        #expect(run.ending == .killed(signal: SIGKILL) && run.output.isEmpty)
        #expect(Date().timeIntervalSince(start) < 2)
        #expect(doorway.eventually { doorway.verifiers.isEmpty })
    }

    @Test("A broker that is killed while a helper works is a refusal at once that says so; with fresh keys nobody notices")
    func brokerKilled() throws {
        let program = try doorway.program(withFetcher: "echo $$ >$here/pid; exec sleep 5")
        func ask() throws -> Run {
            try Program.run(program, try doorway.words(login), environment: Doorway.environment) { process in
                guard doorway.eventually({ doorway.note("pid")?.last == 0x0A }) else { return }
                for other in doorway.verifiers where other != String(process) && status(other)["PPid"] == String(process) {
                    kill(pid_t(other) ?? 0, SIGKILL)
                }
            }
        }
        let start = Date()
        let run = try ask()
        #expect(run.refused(1, "reason=keys-unavailable ", "the process that starts helpers has gone"), "\(run)")
        #expect(Date().timeIntervalSince(start) < 4)
        try doorway.keep(login.keys)
        #expect(try ask().admitted)
    }

    @Test(
        "Where no process can be made, fresh keys admit; a fetch is a refusal that says why",
        .enabled(if: Root.isHere && (try? Program.shell("command -v prlimit"))?.status == 0, "needs root and prlimit"))
    func noProcess() throws {
        for path in [doorway.config, doorway.config + "/providers", doorway.config + "/auth_id", doorway.cacheFolder] {
            chown(path, Root.nobody, Root.nobody)
        }
        let surroundings = Root.asNobody + " set -- prlimit --nproc=1:1 \"$@\""
        let cold = try doorway.ask(login, surroundings: surroundings)
        #expect(cold.refused(1, "reason=keys-unavailable ", "no process could be made"), "\(cold)")
        try doorway.keep(login.keys)
        for name in try FileManager.default.contentsOfDirectory(atPath: doorway.cacheFolder) {
            chown(doorway.cacheFolder + "/" + name, Root.nobody, Root.nobody)
        }
        let warm = try doorway.ask(login, surroundings: surroundings)
        #expect(warm.admitted, "\(warm)")
    }
}
