import Foundation
import Identities
import LibCrypto
import SSHKeys
import Synchronization
import Testing
import Vocabulary

@testable import Login

@Suite("opk login --if-needed")
struct LoginIfNeededTests {
    fileprivate static let now = UnixTime(seconds: 1_800_000_000)

    private final class Home: @unchecked Sendable {
        let path: String
        let place: KeyPlace
        let key: PrivateKey

        init() throws {
            let folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().appendingPathComponent(
                "opk-need-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            path = folder.path
            place = KeyPlace(path + "/demo")
            key = try PrivateKey(generating: .p256)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        /// A certificate of this key, and the key beside it.
        func write(until: Int64, key other: PrivateKey? = nil, privateKey: Bool = true) throws {
            let request = CertificateRequest(
                keyID: Array("alice".utf8), principals: [.wildcard], validBefore: UInt64(LoginIfNeededTests.now.seconds + until),
                token: [1], accessToken: nil)
            let blob = try request.signed(by: key)
            let certificate = try SSHCertificate(parsing: blob)
            try store(SSHKeyLine(blob: blob, type: certificate.type, comment: "openpubkey").bytes, place.certificate)
            if privateKey { try store(try OpenSSHPrivateKeyFile.encode(other ?? key, comment: "openpubkey cert"), place.privateKey) }
        }

        func writePublicKey() throws {
            let line = SSHKeyLine(blob: key.publicKey.sshBlob, type: key.publicKey.sshType, comment: "openpubkey")
            try store(line.bytes, place.publicKey)
        }

        private func store(_ bytes: [UInt8], _ path: String) throws {
            _ = FileManager.default.createFile(atPath: path, contents: Data(bytes), attributes: [.posixPermissions: 0o600])
        }

    }

    private func isGood(_ home: Home, at time: UnixTime = LoginIfNeededTests.now, agent: [UInt8]? = nil) -> Bool {
        StandingLogin(at: home.place) { $0 == agent }.isGood(at: time)
    }

    @Test("a login stands while its certificate is good for a minute more, and its key is beside it")
    func stands() throws {
        let home = try Home()
        #expect(!isGood(home))
        try home.write(until: 3600)
        #expect(isGood(home))
        #expect(isGood(home, at: Self.now + 3539))
        #expect(!isGood(home, at: Self.now + 3540))
        #expect(!isGood(home, at: Self.now + 4000))
    }

    @Test("another key beside the certificate is no login, whatever the agent has")
    func otherKey() throws {
        let home = try Home()
        try home.write(until: 3600, key: try PrivateKey(generating: .p256))
        #expect(!isGood(home, agent: home.key.publicKey.sshBlob))
    }

    @Test("without a private key the agent must have it, and ssh be told which it is")
    func inAgent() throws {
        let home = try Home()
        try home.write(until: 3600, privateKey: false)
        #expect(!isGood(home, agent: home.key.publicKey.sshBlob))
        try home.writePublicKey()
        #expect(isGood(home, agent: home.key.publicKey.sshBlob))
        #expect(!isGood(home, agent: nil))
        #expect(!isGood(home, agent: try PrivateKey(generating: .p256).publicKey.sshBlob))
    }

    @Test("a certificate or key that others may write, or that is cut short, is no login")
    func spoilt() throws {
        let home = try Home()
        try home.write(until: 3600)
        try FileManager.default.setAttributes([.posixPermissions: 0o622], ofItemAtPath: home.place.certificate)
        #expect(!isGood(home))
        try home.write(until: 3600)
        #expect(isGood(home))
        let bytes = try Data(contentsOf: URL(fileURLWithPath: home.place.certificate))
        try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: home.place.certificate))
        #expect(!isGood(home))
    }

    // MARK: one login for all

    private func need(_ home: Home, terminal: Bool = true, browser: Bool = true) throws -> LoginIfNeeded {
        LoginIfNeeded(
            try #require(IdentityName("demo")), standing: StandingLogin(at: home.place) { _ in false }, below: home.path,
            hasTerminal: terminal, hasBrowser: browser, clock: { Self.now })
    }

    @Test("nothing is done, and no file made, where a login stands")
    func nothing() throws {
        let home = try Home()
        try home.write(until: 3600)
        let outcome = try need(home).run(patience: 1, waiting: { Issue.record("it waited") }, logIn: { Issue.record("it logged in") })
        #expect(outcome == .standing)
        #expect(!FileManager.default.fileExists(atPath: home.path + "/identities"))
    }

    @Test("eight at once: one logs in, seven wait for it and have its login")
    func together() throws {
        let home = try Home()
        let outcomes = Mutex<[LoginIfNeeded.Outcome]>([])
        let logins = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            let outcome = try? need(home).run(patience: 20, waiting: {}) {
                logins.add(1, ordering: .relaxed)
                Thread.sleep(forTimeInterval: 0.3)
                try? home.write(until: 3600)
            }
            outcomes.withLock { if let outcome { $0.append(outcome) } }
        }
        #expect(logins.load(ordering: .relaxed) == 1)
        let all = outcomes.withLock { $0 }
        #expect(all.count == 8)
        #expect(all.filter { $0 == .loggedIn }.count == 1)
    }

    @Test("who waited for a login that came to nothing does not ask the person again")
    func inVain() throws {
        let home = try Home()
        let logins = Atomic(0)
        let failures = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 2) { _ in
            do {
                _ = try need(home).run(patience: 20, waiting: {}) { () throws(LoginError) in
                    logins.add(1, ordering: .relaxed)
                    Thread.sleep(forTimeInterval: 1)
                    throw .noAnswer([])
                }
            } catch {
                failures.add(1, ordering: .relaxed)
            }
        }
        #expect(logins.load(ordering: .relaxed) == 1)
        #expect(failures.load(ordering: .relaxed) == 2)
    }

    @Test("with neither terminal nor browser nobody is asked")
    func nobody() throws {
        let home = try Home()
        #expect(throws: LoginError.self) {
            try need(home, terminal: false, browser: false).run(patience: 1, waiting: {}, logIn: { Issue.record("it logged in") })
        }
    }

    @Test("a page that nobody answered is not opened again at once without a terminal, and at a terminal it is")
    func unanswered() throws {
        let home = try Home()
        func attempt(terminal: Bool, fails: Bool) throws -> LoginIfNeeded.Outcome {
            // Real time: the file's own is looked at.
            let need = LoginIfNeeded(
                try #require(IdentityName("demo")), standing: StandingLogin(at: home.place) { _ in false }, below: home.path,
                hasTerminal: terminal, hasBrowser: true, clock: UnixTime.now)
            return try need.run(patience: 1, waiting: {}) { () throws(LoginError) in
                if fails { throw .noAnswer([]) }
            }
        }
        #expect(throws: LoginError.self) { try attempt(terminal: false, fails: true) }
        let error = #expect(throws: LoginError.self) { try attempt(terminal: false, fails: false) }
        guard case .unansweredLately? = error else {
            Issue.record("\(error.map { "\($0)" } ?? "no error")")
            return
        }
        #expect(try attempt(terminal: true, fails: false) == .loggedIn)
        #expect(try attempt(terminal: false, fails: false) == .loggedIn)
    }
}
