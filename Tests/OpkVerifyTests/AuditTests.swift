import AuditTrail
import Foundation
import JOSE
import LibCrypto
import MintingKit
import SSHKeys
import Testing
import Vocabulary

@Suite("opk-verify: the audit log", .serialized)
struct AuditTests {
    let audited: AuditedDoorway
    var doorway: Doorway { audited.doorway }

    init() throws { audited = try AuditedDoorway() }

    private func event() throws -> JSONObject {
        let events = try audited.events()
        try audited.clear()
        return try #require(events.count == 1 ? events.first : nil, "\(events)")
    }

    @Test("An admission is one event that says who, by which row, from where, until when, and by which token and key")
    func admitted() throws {
        try doorway.write("auth_id", "# who\nguest alice@example.com \(doorway.issuer.string) reason=\"CHG-881\"\n")
        let login = audited.login.with {
            $0.claims["groups"] = ["admins", "staff"]
            $0.claims["amr"] = ["pwd", "otp"]
            $0.claims["acr"] = "silver"
            $0.claims["auth_time"] = .number(JSONNumber(UnixTime.now().seconds - 90))
        }
        // Made once, since a signature is another each time: payload:header:signature, the provider's first.
        let token = try login.token()
        let parts = token.split(separator: UInt8(ascii: ":"))
        let idToken = Array([parts[1], parts[0], parts[2]].joined(separator: [UInt8(ascii: ".")]))
        let words =
            try doorway.words(login.with { $0.rewriteToken = { _ in token } }, options: audited.options()) + [
                Array("192.0.2.1 22 203.0.113.7 50123".utf8)
            ]
        let run = try Program.run(Program.verify, words, environment: Doorway.environment)
        #expect(run.status == 0, "\(run)")
        let event = try event()
        #expect(Set(event.members.map(\.name.string)).isSubset(of: Set(AuditField.allCases.map(\.rawValue))))
        #expect(event.number("v") == 1 && event.text("type") == "decision" && event.text("program") == "opk-verify")
        #expect(run.terminal.contains(" id=\(event.text("id") ?? "?") "))
        #expect(event["granted"] == .bool(true) && event["verified"] == .bool(true) && event["reason"] == nil && event["step"] == nil)
        #expect(event.text("account") == "guest" && event.text("issuer") == doorway.issuer.string)
        #expect(event.text("subject") == "alice-1" && event.text("email") == "alice@example.com")
        #expect(event.text("auth_method") == "publickey/openpubkey")
        #expect(event.text("source_address") == "203.0.113.7" && event.number("source_port") == 50123)
        #expect(event.text("key_fingerprint") == login.userKey.publicKey.sshFingerprint)
        #expect(event.text("token_fingerprint") == SSHFingerprint.sha256(idToken))
        #expect(
            event["decided_by"] == [["kind": "row", "file": .string(Text(doorway.config + "/auth_id")), "line": 2]],
            "\(String(describing: event["decided_by"]))")
        #expect(event.text("grant_reason") == "CHG-881" && event["break_glass"] == nil)
        #expect(event["groups"] == ["admins", "staff"] && event["groups_more"] == nil)
        #expect(event["amr"] == ["pwd", "otp"] && event.text("acr") == "silver")
        for name: Text in ["time", "auth_time", "issued_at", "identity_ends"] {
            #expect(event[name]?.string.flatMap { UnixTime(rfc3339: $0) } != nil, "\(name)")
        }
        let written = try #require(event["time"]?.string.flatMap { UnixTime(rfc3339: $0) })
        #expect(abs(written - .now()) < 60)
        #expect(
            event.text("host") == ProcessInfo.processInfo.hostName.split(separator: ".").first.map(String.init) || event.text("host") != nil
        )
        #expect(event.text("attempt")?.count == 10)
    }

    @Test("A refusal says at which step, why, and what decided: a row, a rule, a list or a revocation, each with its line")
    func refused() throws {
        #expect(try audited.ask(as: "root").status == 1)
        var event = try event()
        #expect(event["granted"] == .bool(false) && event.number("step") == 9 && event.text("reason") == "no-row-admits")
        #expect(event.text("detail")?.contains("auth_id has no row for account root") == true && event["decided_by"] == nil)

        try doorway.write("auth_id", "\nguest alice@example.com \(doorway.issuer.string) acr=\"gold\"\n")
        #expect(try audited.ask().status == 1)
        event = try self.event()
        #expect(event.text("reason") == "condition-not-met")
        #expect(event["decided_by"] == [["kind": "row", "file": .string(Text(doorway.config + "/auth_id")), "line": 2]])

        try doorway.write("auth_id", "guest alice@example.com \(doorway.issuer.string)\n")
        try doorway.write("config.yml", "skew: 60s\nrequire:\n  - accounts: [guest]\n    amr: [hwk]\n")
        let run = try audited.ask()
        event = try self.event()
        #expect(event.text("reason") == "requirement-not-met", "\(run)")
        #expect(event["decided_by"]?.array?.first?["kind"] == "require" && event["decided_by"]?.array?.first?["line"] == 3)

        try doorway.write("config.yml", "deny_emails: [alice@example.com]\n")
        #expect(try audited.ask().status == 1)
        event = try self.event()
        let config = JSON.string(Text(doorway.config + "/config.yml"))
        #expect(event.text("reason") == "denied" && event["decided_by"] == [["kind": "deny", "file": config, "line": 1]])

        let lists = "deny_users:\n  - root\n  - GUEST\n# out\ndeny_emails:\n  - bob@example.com\n\n  - Alice@Example.com\n"
        try doorway.write("config.yml", lists)
        #expect(try audited.ask().status == 1)
        event = try self.event()
        let both: JSON = [["kind": "deny", "file": config, "line": 3], ["kind": "deny", "file": config, "line": 8]]
        #expect(event.text("reason") == "denied" && event["decided_by"] == both, "\(String(describing: event["decided_by"]))")

        try doorway.write("config.yml", "")
        try doorway.write("revoked", "# out\n\nemail:alice@example.com\n")
        #expect(try audited.ask().status == 1)
        event = try self.event()
        #expect(event.text("reason") == "revoked" && event["decided_by"]?.array?.first?["line"] == 3)
        #expect(event["decided_by"]?.array?.first?["file"]?.string?.string == doorway.config + "/revoked")
    }

    @Test(
        "What the provider did not sign is marked so, and has no groups; bytes that are no certificate are an event, too; a plain key is none"
    )
    func strangers() throws {
        #expect(try audited.ask(audited.login.with { $0.providerKey = TestKeys.otherP256 }).status == 1)
        var event = try event()
        #expect(
            event["verified"] == .bool(false) && event.text("reason") == "provider-signature" && event.text("email") == "alice@example.com")
        #expect(event["groups"] == nil && event["issued_at"] == nil && event.text("token_fingerprint") != nil)
        var words = try doorway.words(audited.login, options: audited.options())
        words[words.count - 2].removeLast(8)
        #expect(try Program.run(Program.verify, words, environment: Doorway.environment).status == 1)
        event = try self.event()
        #expect(event.text("reason") == "certificate-malformed" && event["issuer"] == nil && event["verified"] == nil)
        words = (audited.options() + ["guest", Base64.encode(TestKeys.ed25519.publicKey.sshBlob), "ssh-ed25519"]).map { Array($0.utf8) }
        #expect(try Program.run(Program.verify, words, environment: Doorway.environment).status == 0)
        #expect(audited.bytes() == [])
    }

    @Test("Who would have been admitted by an sshd that has gone is refused: by which reason, and which row it was")
    func answerLost() throws {
        try doorway.write("auth_id", "guest alice@example.com \(doorway.issuer.string) break-glass\n")
        #expect(try audited.ask(surroundings: "exec >/dev/full").status == 1)
        let event = try event()
        #expect(event["granted"] == .bool(false) && event.text("reason") == "answer-lost" && event.number("step") == 10, "\(event)")
        #expect(event["verified"] == .bool(true) && event["break_glass"] == nil && event["decided_by"]?.array?.count == 1)
    }

    @Test("Break-glass is said only where no other row admits")
    func breakGlass() throws {
        let row = "guest alice@example.com \(doorway.issuer.string)"
        try doorway.write("auth_id", "\(row) break-glass\n")
        #expect(try audited.ask().status == 0)
        #expect(try event()["break_glass"] == .bool(true))
        try doorway.write("auth_id", "\(row) break-glass\n\(row) restrict\n")
        #expect(try audited.ask().status == 0)
        #expect(try event()["break_glass"] == nil)
    }

    @Test("Both decisions of one connection have one attempt; those of another have another")
    func attempts() throws {
        for _ in 0..<2 { #expect(try audited.ask().status == 0) }
        // Asked twice by one shell, and once by another: neither becomes opk-verify.
        for script in ["\"$@\"; \"$@\"; exit", "\"$@\"; exit"] { _ = try audited.ask(surroundings: script) }
        let attempts = try audited.events().compactMap { $0.text("attempt") }
        #expect(attempts.count == 5 && attempts[0] == attempts[1] && attempts[2] == attempts[3])
        #expect(Set(attempts).count == 3)
        #expect(Set(try audited.events().compactMap { $0.text("id") }).count == 5)
    }

    @Test("Without a file that may be written nothing is waited for long, nothing is made, and the decision stands")
    func notInstalled() throws {
        #expect(try audited.ask(at: audited.doorway.folder + "/nowhere/audit.jsonl").admitted)
        #expect(try audited.ask(at: audited.folder + "/other.jsonl").admitted)
        #expect(try FileManager.default.contentsOfDirectory(atPath: audited.folder) == ["audit.jsonl"])
        #expect(!FileManager.default.fileExists(atPath: audited.doorway.folder + "/nowhere"))
        // The one in a folder that is there counts as lost, the other not.
        #expect(try audited.ask().admitted)
        let events = try audited.events()
        #expect(events.map { $0.text("type") } == ["audit.gap", "decision"] && events.first?.number("lost") == 1, "\(events)")
    }

    @Test(
        "Nothing is written through a link, nor where others may name files through a second name, nor to a FIFO, a folder, or a file that others may write or own"
    )
    func unsafeFiles() throws {
        #expect(chmod(audited.folder, 0o775) == 0)
        let victim = doorway.folder + "/victim"
        try audited.makeFile(victim)
        let manager = FileManager.default
        func put(_ make: (String) throws -> Void) throws {
            try? manager.removeItem(atPath: audited.path)
            try make(audited.path)
        }
        var cases: [(String, (String) throws -> Void)] = [
            ("a link", { try manager.createSymbolicLink(atPath: $0, withDestinationPath: victim) }),
            ("a second name", { try manager.linkItem(atPath: victim, toPath: $0) }),
            ("a FIFO", { #expect(mkfifo($0, 0o640) == 0) }),
            ("a folder", { try audited.makeFolder($0) }),
            ("others may write", { try audited.makeFile($0, mode: 0o642) }),
            ("the group may write", { try audited.makeFile($0, mode: 0o660) }),
        ]
        if Root.isHere {
            cases.append(
                (
                    "another's",
                    {
                        try audited.makeFile($0)
                        #expect(chown($0, Root.nobody, Root.nobody) == 0)
                    }
                ))
        }
        for (name, make) in cases {
            try put(make)
            let run = try audited.ask()
            #expect(run.admitted, "\(name): \(run)")
            #expect(audited.bytes(victim) == [], "\(name)")
            var facts = stat()
            #expect(lstat(audited.path, &facts) == 0 && (facts.st_mode & S_IFMT != S_IFREG || facts.st_size == 0), "\(name)")
        }
        try put { try audited.makeFile($0) }
        #expect(try audited.ask().admitted)
        #expect(try audited.events().first?.number("lost") == cases.count)
    }

    @Test("Hostile names stay on one line, and come out as they went in, or cut")
    func hostile() throws {
        let nasty = "a\n\u{1B}[31m\"},{\"granted\":true,\u{202E}\u{2028}\\é😀"
        let long = String(repeating: "\u{7}\"é", count: 1000)
        for text in [nasty, long] {
            let login = audited.login.with {
                $0.claims["sub"] = .string(Text(text))
                $0.claims["email"] = .string(Text(text))
                $0.claims["groups"] = .array((0..<300).map { .string(Text("\(text.prefix(20))\($0)")) })
                $0.claims["amr"] = .array(Array(repeating: .string(Text(String(text.prefix(20)))), count: 100))
                $0.claims["acr"] = .string(Text(text))
                $0.header["kid"] = .string(Text(text))
                $0.rewriteCertificate = { $0.keyID = Array(text.utf8) + [0xFF, 0x00, 0x0A] }
            }
            for account in ["guest", text.replacing("\0", with: "")] { _ = try audited.ask(login, as: account) }
            for event in try audited.events() {
                #expect(event["granted"] == .bool(false))
                if text == nasty, let subject = event.text("subject") { #expect(subject == nasty) }
                if let groups = event["groups"]?.array { #expect(groups.count + (event.number("groups_more") ?? 0) == 300) }
            }
            #expect(audited.bytes().split(separator: 0x0A).allSatisfy { $0.count < AuditEvent.longestLine })
            #expect(audited.bytes().allSatisfy { $0 == 0x0A || $0 >= 0x20 && $0 != 0x7F })
            try audited.clear()
        }
    }

    @Test("No sixteen bytes of the certificate, the token or the access token ever come to it, whatever the outcome")
    func secrets() throws {
        let accessToken = "act-" + Base64URL.encode(randomBytes(48))
        let login = audited.login.with {
            $0.rewriteCertificate = { $0.extensions.insert(.init("openpubkey-act", value: Array(accessToken.utf8)), at: 0) }
        }
        _ = try audited.ask(login)
        _ = try audited.ask(login, as: "root")
        for change: @Sendable (inout MintedLogin) -> Void in [
            { $0.rewriteToken = { $0.dropLast() + [UInt8(ascii: "!")] } }, { $0.header["kid"] = "key-9" },
            { $0.providerKey = TestKeys.otherP256 }, { $0.clientSignature = [] }, { $0.claims["aud"] = ["a", "b"] },
            { $0.claims["iss"] = "https://x.example" }, { $0.claims["nonce"] = "x" }, { $0.headerText = [0xFF] },
        ] { _ = try audited.ask(login.with(change)) }
        try doorway.write("auth_id", "guest oidc:groups:admins \(doorway.issuer.string)\n")
        for answer in ["{\"sub\":\"\(accessToken)\"}", "{\"sub\":\"alice-1\",\"groups\":[\"admins\"]}", accessToken] {
            doorway.serve(login.keys, userinfo: answer)
            _ = try audited.ask(login)
        }
        #expect(try audited.events().count == 13)
        let secrets = [
            Array(Base64.encode(try login.certificate()).utf8), try login.token(), Array(accessToken.utf8), try login.idToken(),
        ]
        let pieces = Set(secrets.flatMap { secret in (0...(secret.count - 16)).map { Array(secret[$0..<($0 + 16)]) } })
        let said = audited.bytes()
        let leaked = (0...(said.count - 16)).map { Array(said[$0..<($0 + 16)]) }.first(where: pieces.contains)
        #expect(leaked == nil, "\(leaked.map { String(decoding: $0, as: UTF8.self) } ?? "")")
    }

    @Test("A decision that takes too long is an event of its own, with the step that it was at and the time that it was then")
    func timedOut() throws {
        // sshd that does not read: the decision is made, and its event says that it admitted nobody.
        let words = try doorway.words(audited.login, options: audited.options())
        let stuck = try Program.run(Program.verify, words, environment: Doorway.environment, output: .stuck)
        #expect(stuck.ending == .exited(1), "\(stuck)")
        let event = try event()
        #expect(event["granted"] == .bool(false) && event.text("reason") == "timed-out" && event.number("step") == 10, "\(event)")
        #expect(event.text("detail") == "the decision took too long" && event.text("account") == "guest")
        let written = try #require(event["time"]?.string.flatMap { UnixTime(rfc3339: $0) })
        #expect(abs(written - .now()) < 4)
        // Anybody can take too long.
        #expect(truncate(audited.path, 256 << 20) == 0)
        let late = try Program.run(Program.verify, words, environment: Doorway.environment, output: .stuck)
        var facts = stat()
        #expect(late.ending == .exited(1) && stat(audited.path, &facts) == 0 && facts.st_size == 256 << 20, "\(late)")
    }

    @Test("A refusal of a verified person has its own room in the log, an admission more, and neither takes the room of sessions")
    func room() throws {
        func grows(from mebibytes: Int, _ account: String, _ login: MintedLogin? = nil) throws -> Bool {
            var facts = stat()
            #expect(truncate(audited.path, 0) == 0 && truncate(audited.path, mebibytes << 20) == 0)
            _ = try audited.ask(login, as: account)
            return stat(audited.path, &facts) == 0 && Int(facts.st_size) > mebibytes << 20
        }
        let forged = audited.login.with { $0.providerKey = TestKeys.otherP256 }
        #expect(try grows(from: 255, "guest", forged) && !grows(from: 256, "guest", forged))
        // root has no row of hers.
        #expect(try grows(from: 256, "root") && grows(from: 383, "root") && !grows(from: 384, "root"))
        #expect(try grows(from: 384, "guest") && grows(from: 767, "guest") && !grows(from: 768, "guest"))
        // A configuration that lets nobody in is seen before any signature is.
        try doorway.write("config.yml", "nonsense: 1\n")
        #expect(try grows(from: 255, "guest") && !grows(from: 256, "guest"))
    }
}
