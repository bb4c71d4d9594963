import Foundation
import LibCrypto
import MintingKit
import SSHKeys
import TestSupport
import Testing
import Verifier
import Vocabulary

private func ask(_ blob: [UInt8], _ type: String, as account: String = "guest") throws -> Answer {
    let request = LoginRequest(account: Array(account.utf8), key: Array(Base64.encode(blob).utf8), type: Array(type.utf8))
    return Answer(request, TestSources(try MintedLogin()))
}

@Suite("What is ours and what is another key's business")
struct LoginRequestTests {
    @Test(
        "A plain key of any type is not ours, and nothing is read for it (V55)",
        arguments: ["ssh-rsa", "ssh-ed25519", "ecdsa-sha2-nistp521", "sk-ssh-ed25519@openssh.com", "ssh-dss", "name@example.com"])
    func plain(_ type: String) throws {
        let answer = try ask(sshString(Array(type.utf8)) + sshString([1, 2, 3]), type, as: "-v")
        #expect(answer.isNotOurs && answer.asked == [])
    }

    @Test("Published plain keys are not ours (V55)", .enabled(if: SharedData.isThere, SharedData.absence))
    func publishedPlainKeys() throws {
        var seen = 0
        for folder in ["openssh-regress-sshkey", "rustcrypto"] {
            for file in try SharedData.files("ssh-certs/\(folder)/plainkeys", ending: ".pub") {
                guard let line = SSHKeyLine(parsing: Array(try Data(contentsOf: file))) else { continue }
                let answer = try ask(line.blob, line.type)
                #expect(answer.isNotOurs && answer.asked == [], "\(file.lastPathComponent)")
                seen += 1
            }
        }
        #expect(seen >= 24)
    }

    @Test("A certificate without a PK token is not ours, whatever else is wrong with it (V54)")
    func foreign() throws {
        func without(_ change: (inout CertificateForm) -> Void) throws -> Answer {
            var form = CertificateForm(for: TestKeys.ed25519.publicKey)
            change(&form)
            return try ask(try form.signed(by: TestKeys.otherEd25519), String(decoding: form.type, as: UTF8.self))
        }
        #expect(try without { _ in }.isNotOurs)
        #expect(try without { $0.kind = 2 }.isNotOurs)
        #expect(try without { $0.validBefore = 1 }.isNotOurs)
        #expect(try without { $0.criticalOptions = [.init("force-command", value: [1])] }.isNotOurs)
        #expect(try without { $0.principals = [[0x0A]] }.isNotOurs)
        #expect(
            try without {
                $0.type = Array("sk-ssh-ed25519-cert-v01@openssh.com".utf8)
                $0.keyFields += sshString(Array("ssh:".utf8))
            }.isNotOurs)
    }

    @Test(
        "Of the published certificates none is ours but those minted in opkssh's shape (V54)",
        .enabled(if: SharedData.isThere, SharedData.absence))
    func publishedCertificates() throws {
        for folder in [
            "go-xcrypto", "openssh-fuzz-harness", "openssh-regress-authopt", "openssh-regress-sshkey", "rustcrypto", "swift-nio-ssh",
        ] {
            for file in try SharedData.files("ssh-certs/\(folder)", ending: ".pub") {
                guard let line = SSHKeyLine(parsing: Array(try Data(contentsOf: file))) else { continue }
                let answer = try ask(line.blob, line.type)
                #expect(answer.isNotOurs && answer.asked == [], "\(file.lastPathComponent)")
            }
        }
    }

    @Test("A key type that opk does not use, with a PK token, is refused (V54)")
    func foreignKeyWithToken() throws {
        var form = CertificateForm(for: TestKeys.ed25519.publicKey, token: [1])
        form.type = Array("ssh-dss-cert-v01@openssh.com".utf8)
        form.keyFields = (0..<4).flatMap { _ in sshString([1]) }
        #expect(try ask(try form.signed(by: TestKeys.ed25519), "ssh-dss-cert-v01@openssh.com").refusal == .keyTypeUnsupported)
    }

    @Test("%t that is not the blob's type is refused (V55)")
    func typeMismatch() throws {
        let blob = try MintedLogin().certificate()
        #expect(try ask(blob, "ssh-ed25519-cert-v01@openssh.com").lines?.count == 1)
        for type in [
            "ssh-ed25519", "ssh-rsa-cert-v01@openssh.com", "", "SSH-ED25519-cert-v01@openssh.com", "ssh-ed25519-cert-v01@openssh.com\n",
        ] {
            #expect(try ask(blob, type).refusal == .keyTypeMismatch, "\(type)")
        }
    }

    @Test("%k that is not strict base64, or does not begin with a type, is refused (V55)")
    func unreadable() throws {
        let encoded = Base64.encode(try MintedLogin().certificate())
        let type = "ssh-ed25519-cert-v01@openssh.com"
        for bad in [
            "", "!", encoded + "=", encoded + " comment", " " + encoded, encoded + "\n", "AAAA", "AAAAAA==", String(encoded.dropLast()),
        ] {
            let answer = Answer(
                LoginRequest(account: Array("guest".utf8), key: Array(bad.utf8), type: Array(type.utf8)), TestSources(try MintedLogin()))
            #expect(answer.refusal == .keyUnreadable, "\(bad.prefix(20))")
            #expect(answer.asked == [])
        }
    }

    @Test("A certificate is as long as leaves room in SSH_AUTH_INFO_0 for two, and no longer; what is not ours may be longer (V51)")
    func longest() throws {
        let type = "ssh-ed25519-cert-v01@openssh.com"
        func padded(_ length: Int) throws -> [UInt8] {
            var login = try MintedLogin()
            login.rewriteCertificate = { $0.keyID = [UInt8](repeating: UInt8(ascii: "A"), count: length) }
            return try login.certificate()
        }
        let base = try padded(0).count
        let most = LoginRequest.longestKey * 3 / 4
        #expect(try ask(padded(most - base), type).lines?.count == 1)
        #expect(try ask(padded(most - base + 1), type).refusal == .certificateMalformed)
        #expect(try ask(padded(96_400), type).refusal == .certificateMalformed)
        // MAX_ARG_STRLEN, with the name, the method and the type twice.
        #expect(
            2 * ("publickey ecdsa-sha2-nistp521-cert-v01@openssh.com \n".utf8.count + LoginRequest.longestKey) + 16 + 1 <= 131_072 - 4096)
    }

    @Test("A certificate that cannot be parsed is refused, cut anywhere (V51)")
    func truncated() throws {
        let blob = try MintedLogin().certificate()
        for length in stride(from: 36, to: blob.count, by: 7) {
            #expect(try ask(Array(blob.prefix(length)), "ssh-ed25519-cert-v01@openssh.com").refusal == .certificateMalformed, "\(length)")
        }
        #expect(try ask(blob + [0], "ssh-ed25519-cert-v01@openssh.com").refusal == .certificateMalformed)
        let unknown = sshString(Array("ssh-foo-cert-v01@openssh.com".utf8)) + sshString([1]) + sshString([2])
        #expect(try ask(unknown, "ssh-foo-cert-v01@openssh.com").refusal == .keyTypeUnsupported)
    }
}

@Suite("The log line")
struct DecisionRecordTests {
    @Test("It says outcome, step, reason, account, issuer, subject, email, fingerprint and key id")
    func fields() throws {
        let admitted = try Answer(try MintedLogin()).logLine
        #expect(
            admitted
                == "admitted account=\"guest\" issuer=\"https://issuer.example.com\" subject=\"alice-1\" email=\"alice@example.com\" "
                + "key=\(TestKeys.ed25519.publicKey.sshFingerprint) key-id=\"alice@example.com\" rows=1")
        let refused = try Answer(try MintedLogin(), as: "root").logLine
        #expect(refused.hasPrefix("refused step=9 reason=no-row-admits account=\"root\" issuer="))
        #expect(!refused.contains("unverified"))
    }

    @Test("What the provider did not sign is called unverified")
    func unverified() throws {
        let forged = try Answer(try MintedLogin().with { $0.providerKey = TestKeys.otherP256 }).logLine
        #expect(forged.contains("refused step=8 reason=provider-signature") && forged.contains(" unverified issuer="))
    }

    @Test("Hostile text is escaped, cut, and on one line (V67)")
    func hostile() throws {
        let nasty = "a\n\u{1B}[31m\" admitted \u{202E}" + String(repeating: "x", count: 5000)
        let login = try MintedLogin().with {
            $0.claims["sub"] = .string(Text(nasty))
            $0.claims["email"] = .string(Text(nasty))
            $0.header["kid"] = .string(Text(nasty))
            $0.rewriteCertificate = { $0.keyID = Array(nasty.utf8) + [0xFF] }
        }
        for answer in [try Answer(login), try Answer(login, as: nasty), try Answer(login.with { $0.claims["iss"] = .string(Text(nasty)) })]
        {
            #expect(answer.lines == nil)
            #expect(answer.logLine.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && $0 != "\u{202E}" })
            #expect(!answer.logLine.replacing("\\\"", with: "").contains("\" admitted"), "a quote does not end the value")
            #expect(answer.logLine.utf8.count < 4000)
        }
    }

    @Test("No token, no signature and no access token is ever in it (V67)")
    func secrets() throws {
        let good = try MintedLogin().with {
            $0.rewriteCertificate = { $0.extensions.insert(.init("openpubkey-act", value: Array("act-secret".utf8)), at: 0) }
        }
        let changes: [(inout MintedLogin) -> Void] = [
            { _ in }, { $0.claims["aud"] = "other" }, { $0.providerSignature = [1] }, { $0.claims["nonce"] = "x" }, { $0.headerText = [1] },
            { $0.refreshed = [1] },
            { $0.clientSignature = [1] }, { $0.header["kid"] = "unknown" },
        ]
        for change in changes {
            let login = good.with { change(&$0) }
            let log = try Answer(login).logLine + (try Answer(login, as: "root").logLine)
            #expect(!log.contains("act-secret"))
            for part in segments(try login.token()) where part.count > 8 {
                #expect(!log.contains(String(decoding: part.prefix(24), as: UTF8.self)))
            }
        }
    }
}
