import JOSE
import LibCrypto
import MintingKit
import SSHKeys
import Testing
import Vocabulary

/// PROTOCOL section 7, and how sshd calls: section 4.
@Suite("opk-verify: the call and the exit status", .serialized)
struct StatusTests {
    let doorway: Doorway

    init() throws {
        doorway = try Doorway()
        try doorway.keep(try doorway.login().keys)
    }

    private func run(_ words: [String]) throws -> Run {
        try Program.run(Program.verify, words.map { Array($0.utf8) }, environment: Doorway.environment)
    }

    @Test("Status 0 and one line admits, the same for the key query and for the signed request (V68)")
    func admitted() throws {
        let login = try doorway.login()
        let runs = [try doorway.ask(login), try doorway.ask(login)]
        #expect(runs[0].admitted && runs[1].admitted, "\(runs)")
        #expect(runs[0].output == runs[1].output)
        // But for the identifier, which no two decisions have in common.
        let lines = runs.map { $0.terminal.replacing(/id=[a-z2-9]{10}/, with: "") }
        #expect(lines[0] == lines[1] && runs[0].terminal != runs[1].terminal)
        let key = login.userKey.publicKey
        let line = "cert-authority,principals=\"opkssh-wildcard\" \(key.sshType) \(Base64.encode(key.sshBlob))\n"
        #expect(runs[0].output == line)
    }

    @Test("Status 0 and nothing at all, without a look at any file, where the key is another's business (V55)")
    func notOurs() throws {
        try doorway.write("config.yml", "not: [yaml", mode: 0o666)
        let key = TestKeys.ed25519.publicKey
        let certificate = try CertificateForm(for: key).signed(by: TestKeys.ed25519)
        for (type, blob) in [("ssh-ed25519", key.sshBlob), ("ssh-ed25519-cert-v01@openssh.com", certificate)] {
            for account in ["guest", "-v", "a b"] {
                let run = try run(["--config-dir", doorway.config, "--", account, Base64.encode(blob), type])
                #expect(run.ending == .exited(0) && run.output.isEmpty && run.terminal.isEmpty, "\(type): \(run)")
            }
        }
    }

    @Test("Status 1, nothing on standard output and one line that says step and reason: what cannot be parsed, and what is refused (V55)")
    func refused() throws {
        let login = try doorway.login()
        let key = Base64.encode(try login.certificate())
        let type = "ssh-ed25519-cert-v01@openssh.com"
        let cut = Base64.encode(Array(try login.certificate().dropLast()))
        for (key, type, reason) in [
            (key, "ssh-rsa-cert-v01@openssh.com", "key-type-mismatch"), ("!" + key, type, "key-unreadable"), ("", type, "key-unreadable"),
            (key + " comment", type, "key-unreadable"), (cut, type, "certificate-malformed"),
        ] {
            let run = try run(["--config-dir", doorway.config, "--cache-dir", doorway.cacheFolder, "guest", key, type])
            #expect(run.refused(1, "step=1 reason=\(reason) ", "account=\"guest\""), "\(run)")
        }
        let forged = try doorway.ask(login.with { $0.providerKey = TestKeys.otherP256 })
        #expect(forged.refused(1, "step=8 reason=provider-signature "), "\(forged)")
        let stranger = try doorway.ask(login, as: "root")
        #expect(stranger.refused(1, "step=9 reason=no-row-admits account=\"root\" ", "email=\"alice@example.com\""), "\(stranger)")
    }

    @Test("Status 2, and nothing on standard output, for a call that sshd was not told to make")
    func wrongCall() throws {
        let good = try doorway.words(try doorway.login(), options: [])
        let texts = good.map { String(decoding: $0, as: UTF8.self) }
        let calls: [[String]] = [
            [], ["--"], ["guest"], Array(texts.prefix(2)), ["--"] + texts.prefix(2), ["--nonsense"] + texts,
            ["--config=/tmp"] + texts, ["--config-dir"],
            ["--config-dir", "relative"] + texts, ["--cache-dir", "", "--"] + texts, ["--config-dir", "--"] + texts,
        ]
        for words in calls {
            let run = try run(words)
            #expect(run.refused(2, "wrong call"), "\(words.prefix(2)): \(run)")
        }
    }

    @Test("V56 Without -- a user name that looks like an option is a wrong call: no help and no version where sshd reads keys")
    func optionsForUsers() throws {
        let rest = try doorway.words(try doorway.login(), options: []).dropFirst().map { String(decoding: $0, as: UTF8.self) }
        for name in ["--help", "-h", "--version", "-v", "-", "--", "--config-dir"] {
            let run = try run([name] + rest)
            // Neither "-" nor what follows "--" is an option.
            let status: Int32 = name == "-" ? 1 : 2
            #expect(run.refused(status), "\(name): \(run)")
        }
        #expect(try run(["--help"]).output.hasPrefix("usage: opk-verify "))
        #expect(try run(["--version"]).output == "opk-verify \(Version.text)\n")
        for words in [["--help"], ["--version"]] {
            let run = try run(words)
            #expect(run.ending == .exited(0) && run.terminal.isEmpty, "\(run)")
        }
    }

    @Test(
        "V56 After -- every word is a user name, and one that looks like an option is refused",
        arguments: [
            "--help", "-h", "--version", "-v", "-", "--", "--config-dir", "--config-dir=/tmp", "--cache-dir", "", "root\n", "../x", "a b",
            "$(id)", "\u{1B}[2J", String(repeating: "a", count: 4096),
        ])
    func users(_ name: String) throws {
        let run = try doorway.ask(try doorway.login(), as: name)
        #expect(run.refused(1, "step=1 reason=unsafe-account "), "\(run)")
        #expect(!run.terminal.contains("\u{1B}"))
    }

    @Test("Words after the third do no harm, whatever they look like (%C is one)")
    func extraWords() throws {
        let words = try doorway.words(try doorway.login())
        for extra in ["192.0.2.1 22 192.0.2.2 50000", "--help", "--config-dir", ""] {
            let run = try Program.run(Program.verify, words + [Array(extra.utf8)], environment: Doorway.environment)
            #expect(run.admitted, "\(extra): \(run)")
        }
    }
}
