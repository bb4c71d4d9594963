import AuditTrail
import ChildProcess
import Foundation
import JOSE
import MintingKit
import TestSupport
import Testing
import Vocabulary

@testable import Sessions

/// opk-session, called as pam_exec calls it, by a process that is here in sshd's place.
@Suite("opk-session", .serialized) struct SessionProgramTests {
    private let folder: String
    private var places = SessionPlaces()
    private var sessions: String { places.sessions.path }

    init() throws {
        folder = NSTemporaryDirectory() + "/opk-sessions-" + UUID().uuidString
        for path in ["", "/etc", "/run", "/log"] { mkdir(folder + path, 0o755) }
        places.configFolder = folder + "/etc"
        places.sessions = SessionFolder(folder + "/run/opk/sessions")
        places.log = folder + "/log/audit.jsonl"
        places.trust = .rootOrUser(geteuid())
        try put("config.yml", "session_limit: 8h\nend_with_identity: true\n")
        try put("providers", "\(MintedLogin.issuer.string) \(MintedLogin.clientID.string) 12h\n")
        _ = FileManager.default.createFile(atPath: places.log, contents: Data())
        chmod(places.log, 0o640)
    }

    private func put(_ name: String, _ text: String) throws {
        try text.write(toFile: folder + "/etc/" + name, atomically: true, encoding: .utf8)
        chmod(folder + "/etc/" + name, 0o644)
    }

    private func clean() { try? FileManager.default.removeItem(atPath: folder) }

    private func certificate(of issuer: String? = nil) throws -> (type: String, line: String, fingerprint: String) {
        var login = try MintedLogin()
        if let issuer { login.claims["iss"] = .string(Text(issuer)) }
        let now = UnixTime.now()
        login.now = now
        login.claims["iat"] = .number(JSONNumber(now.seconds - 60))
        login.claims["exp"] = .number(JSONNumber(now.seconds + 3600))
        let blob = try login.certificate()
        let type = "ssh-ed25519-cert-v01@openssh.com"
        return (type, "publickey \(type) \(Base64.encode(blob))", login.userKey.publicKey.sshFingerprint)
    }

    /// - Parameters:
    ///   - early: what comes before everything else, as the user's own variables would.
    @discardableResult
    private func call(
        _ type: String, _ variables: [String: String], early: [String] = [], surroundings: [String] = []
    ) throws -> ChildProcess.Outcome {
        var environment = ProcessEnvironment.empty
        for (name, value) in variables { environment[name] = value }
        environment["PAM_TYPE"] = type
        environment["PATH"] = "/usr/bin:/bin"
        environment = ProcessEnvironment(entries: early.map { Array($0.utf8) } + environment.entries)
        let words =
            surroundings + [
                BuiltPrograms.path("opk-session"), "--config-dir", places.configFolder, "--sessions-dir", sessions, "--audit-log",
                places.log,
            ]
        return try ChildProcess.run(words[0], Array(words.dropFirst()), environment: environment, deadline: 20_000)
    }

    private func events() throws -> [JSONObject] {
        try String(contentsOfFile: places.log, encoding: .utf8).split(separator: "\n").map { try JSONObject(parsing: Array($0.utf8)) }
    }

    private var files: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: sessions)) ?? []).sorted() }

    @Test("a trial of opk setup server is nobody's session; one of an issuer that is only called alike is")
    func trial() throws {
        defer { clean() }
        for (issuer, count) in [("https://trial.opk.invalid", 0), ("https://trial.opk.invalid.example.com", 1)] {
            let line = try certificate(of: issuer).line
            #expect(try call("open_session", ["PAM_USER": "deploy", "SSH_AUTH_INFO_0": line + "\n"]).ending == .exited(0))
            #expect(try events().count == count && files.count == count)
        }
    }

    @Test("what a session's certificate says is written down, as not verified where no decision says it; a call at the end changes nothing")
    func openAndClose() throws {
        defer { clean() }
        let certificate = try certificate()
        let variables = ["PAM_USER": "deploy", "PAM_RHOST": "192.0.2.7", "PAM_TTY": "ssh", "SSH_AUTH_INFO_0": certificate.line + "\n"]
        #expect(try call("open_session", variables).ending == .exited(0))
        let id = try #require(ConnectionID.of(process: getpid()))
        let record = try #require(places.sessions.record(id))
        #expect(record.account == "deploy" && record.process == ProcessStamp(running: getpid()) && record.address == "192.0.2.7")
        #expect(record.identity.email == "alice@example.com" && !record.identity.isVerified)
        #expect(record.identity.keyFingerprint == Text(certificate.fingerprint))
        // The provider's row says 12 hours from the token's issue.
        #expect(record.identity.identityEnds.map { $0 - .now() }.map { (42_000...43_200).contains($0) } == true)
        #expect(record.limits == SessionLimits(limit: TimeSpan(seconds: 28_800), endsWithIdentity: true))
        var facts = stat()
        #expect(stat(sessions + "/" + id, &facts) == 0 && facts.st_mode & 0o777 == 0o600)
        #expect(stat(sessions, &facts) == 0 && facts.st_mode & 0o777 == 0o700)
        // A line of an earlier version calls it at the end as well, when the environment is the user's.
        #expect(try call("close_session", variables).ending == .exited(0))
        #expect(files == [id])
        let events = try events()
        #expect(events.map { $0["type"]?.string } == ["login"])
        #expect(events.allSatisfy { $0["session"] == .string(Text(id)) && $0["verified"] == .bool(false) })
    }

    @Test("who a decision of this connection says it is, that is who it is")
    func decided() throws {
        defer { clean() }
        let certificate = try certificate()
        let id = try #require(ConnectionID.of(process: getpid()))
        func decision(_ account: String, _ email: String) -> String {
            """
            {"v":1,"time":"\(UnixTime.now())","type":"decision","attempt":"\(id)","account":"\(account)","granted":true,"verified":true,\
            "email":"\(email)","key_fingerprint":"\(certificate.fingerprint)","identity_ends":"2100-01-01T00:00:00Z","break_glass":true}

            """
        }
        try (decision("deploy", "carol@example.com") + decision("root", "other@example.com"))
            .write(toFile: places.log, atomically: false, encoding: .utf8)
        try call("open_session", ["PAM_USER": "deploy", "SSH_AUTH_INFO_0": certificate.line])
        let identity = try #require(places.sessions.record(id)).identity
        #expect(identity.email == "carol@example.com" && identity.isVerified && identity.isBreakGlass)
        #expect(identity.identityEnds == UnixTime(rfc3339: "2100-01-01T00:00:00Z"))
        #expect(try events().last?["break_glass"] == .bool(true))
    }

    @Test("a login has all that the decision knew of the identity; the port only of its own connection", arguments: [true, false])
    func takenOver(isSame: Bool) throws {
        defer { clean() }
        let certificate = try certificate()
        let id = isSame ? try #require(ConnectionID.of(process: getpid())) : "aaaaaaaaaa"
        let known = """
            "issuer":"https://idp.example.com","subject":"1","email":"carol@example.com","verified":true,"groups":["a","b"],"groups_more":7,\
            "amr":["pwd","hwk"],"acr":"silver","auth_time":"2026-11-01T07:00:00Z","issued_at":"2026-11-01T07:00:01Z",\
            "token_fingerprint":"SHA256:4skbUKzgjnrhKFHFvnCBqg3kFQ6aaqY1Vt1bS3xbWjM"
            """
        try """
        {"v":1,"time":"\("\(UnixTime(seconds: UnixTime.now().seconds))".dropLast()).000000Z","id":"bbbbbbbbbb","type":"decision","host":"h","program":"opk-verify","attempt":"\(id)",\
        "account":"deploy","granted":true,\(known),"source_address":"192.0.2.7","source_port":50000,"key_fingerprint":"\(certificate.fingerprint)"}

        """.write(toFile: places.log, atomically: false, encoding: .utf8)
        try call("open_session", ["PAM_USER": "deploy", "PAM_TTY": "ssh", "SSH_AUTH_INFO_0": certificate.line])
        #expect(try EventSchema.problems(String(contentsOfFile: places.log, encoding: .utf8)) == [])
        let login = try #require(try events().last)
        #expect(login["type"] == "login" && login["tty"] == nil)
        for member in try JSONObject(parsing: Array("{\(known)}".utf8)).members {
            #expect(login[member.name] == member.value, "\(member.name)")
        }
        #expect(login["source_port"]?.number?.integer == (isSame ? 50_000 : nil))
        // What is written down of the session is what is read of it.
        let record = try #require(places.sessions.records().records.first)
        #expect(
            record.identity.contextClass == "silver" && record.identity.groupsMore == 7
                && record.identity.authenticationMethods == ["pwd", "hwk"])
    }

    static let canMount =
        geteuid() == 0
        && (try? ChildProcess.run(
            "/usr/bin/unshare", ["--mount", "mount", "--bind", "/tmp", "/etc"], environment: .inherited(), deadline: 20_000))?
            .ending == .exited(0)

    @Test(
        "a login that the audit log has no room for is said to the system's log, with who logged in where",
        .enabled(if: canMount, "not root, or no mounting"))
    func withoutRoom() throws {
        defer { clean() }
        let devices = folder + "/d"
        mkdir(devices, 0o755)
        try Data().write(to: URL(fileURLWithPath: devices + "/null"))
        let logger = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        defer { close(logger) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array((devices + "/log").utf8)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(logger, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        #expect(bound == 0)
        #expect(truncate(places.log, 1 << 30) == 0)
        let certificate = try certificate()
        try call(
            "open_session", ["PAM_USER": "deploy", "PAM_RHOST": "192.0.2.7", "SSH_AUTH_INFO_0": certificate.line],
            surroundings: ["/usr/bin/unshare", "--mount", "sh", "-c", "mount --bind \(devices) /dev && exec \"$@\"", "sh"])
        var buffer = [UInt8](repeating: 0, count: 8192)
        let count = recv(logger, &buffer, buffer.count, Int32(truncatingIfNeeded: MSG_DONTWAIT))
        let said = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        let words =
            "account=\"deploy\" issuer=\"\(MintedLogin.issuer.string)\" from=\"192.0.2.7\" unverified key=\(certificate.fingerprint) "
        #expect(
            said.contains("audit: login of \"alice@example.com\" \(words)") && said.contains("was not written to \(places.log): "),
            "\(said)")
        #expect(files.count == 1)
        // Nothing is audited where there is no folder, and that is no fault.
        try FileManager.default.removeItem(atPath: folder + "/log")
        try call(
            "open_session", ["PAM_USER": "deploy", "SSH_AUTH_INFO_0": certificate.line],
            surroundings: ["/usr/bin/unshare", "--mount", "sh", "-c", "mount --bind \(devices) /dev && exec \"$@\"", "sh"])
        #expect(recv(logger, &buffer, buffer.count, Int32(truncatingIfNeeded: MSG_DONTWAIT)) < 0)
    }

    @Test("whatever the environment holds, it ends with status 0, and writes nothing that is not a session of ours")
    func hostile() throws {
        defer { clean() }
        let certificate = try certificate()
        let other = "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVzZXJLZXlVc2VyS2V5VXNlcktleVVzZXJLZXlVc2Vy"
        let cut = String(certificate.line.dropLast(40))
        // Of an authority that is not ours, without a PK token.
        let theirs = try CertificateForm(for: TestKeys.ed25519.publicKey).signed(by: TestKeys.ed25519)
        let cases: [[String: String]] = [
            [:], ["PAM_USER": "a\nb", "SSH_AUTH_INFO_0": certificate.line], ["PAM_USER": "../../x", "SSH_AUTH_INFO_0": certificate.line],
            ["PAM_USER": "deploy"], ["PAM_USER": "deploy", "SSH_AUTH_INFO_0": other], ["PAM_USER": "deploy", "SSH_AUTH_INFO_0": cut],
            ["PAM_USER": "deploy", "SSH_AUTH_INFO_0": String(repeating: "A", count: 130_000)],
            ["PAM_USER": "deploy", "SSH_AUTH_INFO_0": String(repeating: "publickey x\n", count: 9_000)],
            ["PAM_USER": "deploy", "SSH_AUTH_INFO_0": "password"],
            ["PAM_USER": "deploy", "SSH_AUTH_INFO_0": "publickey \(certificate.type) \(Base64.encode(theirs))"],
        ]
        for variables in cases {
            for type in ["open_session", "close_session", "", "auth", "open_session\n"] {
                #expect(try call(type, variables).ending == .exited(0), "\(variables.description.prefix(200))")
            }
        }
        #expect(try events().isEmpty && files.isEmpty)
        // An address that would break a line is none.
        try call("open_session", ["PAM_USER": "deploy", "PAM_RHOST": "x\n\u{1B}[2J", "SSH_AUTH_INFO_0": certificate.line])
        #expect(try events().count == 1 && files.count == 1)
        #expect(try places.sessions.records().records.first?.address == nil)
    }

    @Test(
        "a variable that the loader, OpenSSL or Swift acts on, or a second one of PAM's, is somebody's own: nothing is recorded",
        arguments: [
            "LD_PRELOAD=/nonexistent.so", "LD_LIBRARY_PATH=", "GCONV_PATH=/tmp", "GLIBC_TUNABLES=", "OPENSSL_CONF=/tmp/x",
            "SWIFT_ROOT=/tmp",
            "PAM_USER=root", "PAM_TYPE=open_session", "PAM_RHOST=", "SSH_AUTH_INFO_0=", "LD_PRELOAD",
        ])
    func intruders(variable: String) throws {
        defer { clean() }
        let variables = ["PAM_USER": "deploy", "PAM_RHOST": "192.0.2.7", "SSH_AUTH_INFO_0": try certificate().line]
        #expect(try call("open_session", variables, early: [variable]).ending == .exited(0))
        #expect(try events().isEmpty && files.isEmpty)
        // What only looks like one is nothing to it.
        try call("open_session", variables, early: ["XLD_PRELOAD=x", "PAM=", "SSH_AUTH_INFO=", "LANG=C", "LANG=C", "TZ=/tmp/x"])
        #expect(try events().count == 1 && files.count == 1)
    }

    @Test("a link that was planted is replaced and not followed, and is nobody's record")
    func links() throws {
        defer { clean() }
        let certificate = try certificate()
        let id = try #require(ConnectionID.of(process: getpid()))
        try places.sessions.create()
        let victim = folder + "/victim"
        try "keep\n".write(toFile: victim, atomically: true, encoding: .utf8)
        symlink(victim, sessions + "/" + id)
        #expect(try places.sessions.record(id) == nil && places.sessions.records().unreadable == [id])
        try call("close_session", ["PAM_USER": "deploy"])
        #expect(files == [id])
        try call("open_session", ["PAM_USER": "deploy", "SSH_AUTH_INFO_0": certificate.line])
        #expect(try String(contentsOfFile: victim, encoding: .utf8) == "keep\n" && places.sessions.record(id)?.account == "deploy")
        // No folder can be made: the login is in the log all the same.
        try FileManager.default.removeItem(atPath: folder + "/run/opk")
        symlink("/proc", folder + "/run/opk")
        #expect(try call("open_session", ["PAM_USER": "deploy", "SSH_AUTH_INFO_0": certificate.line]).ending == .exited(0))
        #expect(try events().filter { $0["type"] == "login" }.count == 2)
    }

    private static let tracer = "/usr/bin/strace"
    private static let canTrace = FileManager.default.isExecutableFile(atPath: tracer)

    @Test("killed at each system call it leaves a whole record or none, and a log that parses", .enabled(if: canTrace, "no strace"))
    func killed() async throws {
        defer { clean() }
        let certificate = try certificate()
        let variables = ["PAM_USER": "deploy", "SSH_AUTH_INFO_0": certificate.line]
        let trace = folder + "/trace"
        try call("open_session", variables, surroundings: [Self.tracer, "-qq", "-o", trace])
        var counts: [String: Int] = [:]
        var moments: [(String, Int)] = []
        var hasBegun = false
        for line in try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n") {
            guard let end = line.firstIndex(of: "("), line.first?.isLowercase == true else { continue }
            let name = String(line[..<end])
            counts[name, default: 0] += 1
            hasBegun = hasBegun || name == "getppid"
            if hasBegun { moments.append((name, counts[name] ?? 0)) }
        }
        #expect(moments.contains { $0.0 == "renameat2" } && moments.count > 30, "\(moments)")
        // Under strace each run is another connection.
        var whole = 0
        for (name, count) in moments {
            try? FileManager.default.removeItem(atPath: folder + "/run/opk")
            let run = try call(
                "open_session", variables,
                surroundings: [Self.tracer, "-qq", "-o", "/dev/null", "-e", "inject=\(name):signal=KILL:when=\(count)"])
            #expect(run.ending != .exited(1))
            for file in files where !(file.hasPrefix(".opk-") && file.hasSuffix(".new")) {
                #expect(places.sessions.record(file)?.account == "deploy", "\(name) \(count)")
                whole += 1
            }
        }
        #expect(whole > 0 && whole < moments.count)
        #expect(try events().allSatisfy { $0["type"] == "login" })
    }
}
