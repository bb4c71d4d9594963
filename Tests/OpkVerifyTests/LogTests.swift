import Foundation
import JOSE
import LibCrypto
import MintingKit
import Testing
import Vocabulary

@Suite("opk-verify: the log", .serialized)
struct LogTests {
    let doorway: Doorway

    init() throws {
        doorway = try Doorway()
        try doorway.keep(try doorway.login().keys)
    }

    @Test(
        "V67 One line to syslog for each decision, the same as on the terminal, and none for a key that is not ours",
        .enabled(if: Root.canMount, "only root, where mounting is allowed, can put another /dev in place"))
    func systemLog() throws {
        let logger = try SystemLogger(in: doorway.folder)
        let surroundings = Root.seeing(logger.folder, at: "/dev")
        let login = try doorway.login()
        let hostile = named(login, "alice\nAccepted publickey for root\u{1B}[2J\u{202E}%s%n\"")
        let tooLong = named(login, String(repeating: "x", count: 20_000))
        for (login, account, severity) in [
            (login, "guest", 6), (login, "root", 4), (hostile, "guest", 6), (hostile, "root", 4), (tooLong, "guest", 6), (login, "a\nb", 4),
        ] {
            let run = try doorway.ask(login, as: account, surroundings: surroundings)
            #expect(run.status == (severity == 6 ? 0 : 1), "\(run)")
            let messages = logger.messages()
            #expect(messages.count == 1, "\(messages)")
            let message = try #require(messages.first)
            // LOG_AUTH is facility 4.
            #expect(message.hasPrefix("<\(4 << 3 | severity)>"), "\(message)")
            let text = try #require(message.components(separatedBy: " opk-verify[\(run.process)]: ").last)
            #expect(run.terminal == text + "\n")
            // "…" is where a long value is cut.
            #expect(text.unicodeScalars.allSatisfy { (0x20..<0x7F).contains($0.value) || $0 == "…" }, "\(text.debugDescription)")
            #expect(text.utf8.count < 3000)
        }
        let plain = [doorway.config, "--", "guest", Base64.encode(TestKeys.ed25519.publicKey.sshBlob), "ssh-ed25519"]
        let script = Array("\(surroundings)".utf8)
        let run = try Program.run(
            "/bin/sh", [Array("-c".utf8), script] + (["sh", Program.verify, "--config-dir"] + plain).map { Array($0.utf8) },
            environment: Doorway.environment)
        #expect(run.ending == .exited(0) && run.output.isEmpty && run.terminal.isEmpty, "\(run)")
        #expect(logger.messages() == [])
    }

    private func named(_ login: MintedLogin, _ keyID: String) -> MintedLogin {
        login.with { $0.rewriteCertificate = { $0.keyID = Array(keyID.utf8) } }
    }

    /// The line, once its identifier is known to be one.
    private func withoutID(_ line: String) throws -> String {
        let words = line.split(separator: " ", maxSplits: 2)
        let id = try #require(words.count == 3 ? words[1] : nil)
        #expect(
            id.hasPrefix("id=") && id.dropFirst(3).count == 10
                && id.dropFirst(3).allSatisfy { "abcdefghijkmnpqrstuvwxyz23456789".contains($0) })
        return "\(words[0]) \(words[2])"
    }

    @Test("No two decisions have the same identifier")
    func identifiers() throws {
        let login = try doorway.login()
        let ids = try (0..<20).map { _ in try doorway.ask(login, as: "root").terminal.split(separator: " ")[1] }
        #expect(Set(ids).count == 20)
    }

    @Test("The line says who, at which step and why, and a key id from outside stays one quoted word (V67)")
    func line() throws {
        let login = named(try doorway.login(), "a\" key=x\nrefused")
        let key = login.userKey.publicKey.sshFingerprint
        let who = "issuer=\"\(doorway.issuer.string)\" subject=\"alice-1\" email=\"alice@example.com\" key=\(key) "
        let keyID = #"key-id="a\" key=x\u{a}refused""#
        let admitted = try doorway.ask(login)
        #expect(try withoutID(admitted.terminal) == "admitted account=\"guest\" \(who)\(keyID) rows=1\n")
        let refused = try doorway.ask(login, as: "root")
        #expect(
            try withoutID(refused.terminal).hasPrefix("refused step=9 reason=no-row-admits account=\"root\" \(who)\(keyID) | "),
            "\(refused)")
        let forged = try doorway.ask(login.with { $0.providerKey = TestKeys.otherP256 })
        #expect(forged.terminal.contains(" unverified issuer="), "\(forged)")
    }

    @Test("An answer that nobody reads ends with 1, not by a signal, and the line says that it could not be written")
    func nobodyReads() throws {
        let run = try doorway.ask(try doorway.login(), output: .nobodyReads)
        #expect(run.ending == .exited(1), "\(run)")
        #expect(run.terminalLines.count == 1 && run.terminal.contains("could not be written"), "\(run)")
        let full = try doorway.ask(try doorway.login(), surroundings: "exec >/dev/full")
        #expect(full.ending == .exited(1) && full.terminal.contains("could not be written"), "\(full)")
        for line in [run, full].map({ $0.terminal }) {
            #expect(try withoutID(line).hasPrefix("refused step=10 reason=answer-lost account=\"guest\" issuer="), "\(line)")
            #expect(line.contains(" rows=1 ") && !line.contains("admitted"), "\(line)")
        }
    }

    /// The words for opk-verify where the certificate is damaged in some way.
    private func damaged(_ login: MintedLogin) throws -> [[[UInt8]]] {
        let words = try doorway.words(login)
        let (options, key, type) = (words.dropLast(2), words[words.count - 2], words[words.count - 1])
        let blob = try login.certificate()
        func changed(_ change: (inout CertificateForm) -> Void) throws -> [UInt8] {
            var form = CertificateForm(for: login.userKey.publicKey, token: try login.token())
            login.rewriteCertificate(&form)
            change(&form)
            return Array(Base64.encode(try form.signed(by: login.userKey)).utf8)
        }
        let pairs = [
            (key + Array(" comment".utf8), type), (Array(key.dropLast(5)), type), (Array(key.dropFirst()), type),
            (key, Array("ssh-rsa".utf8)),
            (key, Array("ssh-ed25519".utf8)), (Array(Base64.encode(Array(blob.dropLast(9))).utf8), type),
            (Array(Base64.encode(blob + [0]).utf8), type), (Array(Base64.encode(blob.dropLast() + [blob[blob.count - 1] ^ 1]).utf8), type),
            (try changed { $0.extensions.reverse() }, type), (try changed { $0.extensions += $0.extensions }, type),
            (try changed { $0.extensions[0].packed = Array($0.extensions[0].packed.dropFirst(4)) }, type),
            (try changed { $0.criticalOptions = $0.extensions }, type), (try changed { $0.principals = [Array("a b".utf8)] }, type),
        ]
        return pairs.map { key, type in options + [key, type] }
    }

    @Test("V67 No sixteen bytes of the certificate, the PK token or the access token ever come to the log, whatever the outcome")
    func secrets() throws {
        let accessToken = "act-" + Base64URL.encode(randomBytes(48))
        let login = try doorway.login().with {
            $0.rewriteCertificate = { $0.extensions.insert(.init("openpubkey-act", value: Array(accessToken.utf8)), at: 0) }
        }
        var runs = [try doorway.ask(login), try doorway.ask(login, as: "root"), try doorway.ask(login, as: "a b")]
        for change: @Sendable (inout MintedLogin) -> Void in [
            { $0.rewriteToken = { $0.dropLast() + [UInt8(ascii: "!")] } }, { $0.rewriteToken = { $0 + $0 } },
            { $0.header["kid"] = "key-9" }, { $0.providerKey = TestKeys.otherP256 }, { $0.clientSignature = [] },
            { $0.claims["aud"] = ["a", "b"] }, { $0.claims["iss"] = "https://x.example" }, { $0.claims["nonce"] = "x" },
            { $0.claims["iat"] = "x" }, { $0.headerText = [0xFF] },
        ] {
            runs.append(try doorway.ask(login.with(change)))
        }
        runs += try damaged(login).map { try Program.run(Program.verify, $0, environment: Doorway.environment) }
        // The provider hands the token back in all that it says.
        try doorway.write("auth_id", "guest oidc:groups:admins \(doorway.issuer.string)\n")
        doorway.provider.play { _, connection in
            connection.answer(401, headers: ["WWW-Authenticate: Bearer error=\"\(accessToken)\""], "{\"error\":\"\(accessToken)\"}")
        }
        runs.append(try doorway.ask(login))
        for answer in ["{\"sub\":\"\(accessToken)\"}", "{\"sub\":\"alice-1\",\"groups\":\"\(accessToken)\"}", accessToken] {
            doorway.serve(login.keys, userinfo: answer)
            runs.append(try doorway.ask(login))
        }
        doorway.serve(login.keys, userinfo: "{\"sub\":\"alice-1\",\"groups\":[\"admins\"]}")
        runs.append(try doorway.ask(login))
        #expect(runs.first?.admitted == true && runs.last?.admitted == true && runs.filter { $0.status == 0 }.count == 2, "\(runs)")
        let secrets = [
            Array(Base64.encode(try login.certificate()).utf8), try login.token(), Array(accessToken.utf8),
            Array(Base64.encode(Array(accessToken.utf8)).utf8), try login.idToken(),
        ]
        let pieces = Set(secrets.flatMap { secret in (0...(secret.count - 16)).map { Array(secret[$0..<($0 + 16)]) } })
        for run in runs {
            #expect(run.terminalLines.count == 1, "\(run)")
            let said = Array(run.terminal.utf8)
            let leaked = (0...(said.count - 16)).map { Array(said[$0..<($0 + 16)]) }.first(where: pieces.contains)
            #expect(leaked == nil, "\(leaked.map { String(decoding: $0, as: UTF8.self) } ?? "") in \(run)")
        }
    }
}
