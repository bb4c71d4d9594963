import ChildProcess
import Foundation
import MintingKit
import Policy
import SSHKeys
import Testing
import Vocabulary

@testable import opk

@Suite("opk revoke, opk restore", .serialized)
struct RevokeTests {
    private static let key = TestKeys.ed25519.publicKey
    private static let print = "SHA256:4skbUKeUTLMsfW2hbVzT5FS8pQCUnnRjrwfXWGRGG3I"

    @Test(
        "Who is out is written as the verifier reads it, and restored by the same words",
        arguments: [
            (["bob@example.com"], "email:bob@example.com"), (["email:bob@example.com"], "email:bob@example.com"),
            (["1234", "--issuer", "google"], "sub:1234@https://accounts.google.com"),
            (["sub:1234", "--issuer", "google"], "sub:1234@https://accounts.google.com"),
            (["sub:a@b@https://idp.example.com"], "sub:a@b@https://idp.example.com"),
            (["sub:a@b", "--issuer", "https://idp.example.com"], "sub:a@b@https://idp.example.com"),
            ([print], "key:" + print), (["key:" + print], "key:" + print),
            (["issuer:https://idp.example.com"], "issuer:https://idp.example.com"),
            (["sub:x y#'\\@https://idp.example.com"], "\"sub:x y#'\\\\@https://idp.example.com\""),
        ])
    func forms(words: [String], row: String) throws {
        let desk = try Desk()
        try desk.write("revoked", "# out\n")
        let trial = try desk.opk(["revoke"] + words + ["--dry-run"])
        #expect(trial.status == 0 && desk.text("revoked") == "# out\n", "\(trial)")
        let run = try desk.opk(["revoke"] + words)
        #expect(
            run.status == 0 && run.lines.first == "\(desk.revoked):2: \(row)" && run.output.contains("Sessions that are open go on"),
            "\(run)")
        #expect(desk.text("revoked") == "# out\n\(row)\n")
        #expect(try Revocations(parsing: desk.bytes("revoked") ?? []).rows.count == 1)
        #expect(try desk.opk(["revoke"] + words).output.contains("nothing was written") && desk.text("revoked") == "# out\n\(row)\n")
        #expect(try desk.opk(["restore"] + words + ["--dry-run"]).status == 0 && desk.text("revoked") == "# out\n\(row)\n")
        let back = try desk.opk(["restore"] + words)
        #expect(back.status == 0 && back.lines == ["removed \(desk.revoked):2: \(row)"] && desk.text("revoked") == "# out\n", "\(back)")
        #expect(try desk.opk(["restore"] + words).status == 1)
    }

    @Test(
        "Words that are nobody, or everybody by mistake, are refused",
        arguments: [
            ["bob"], ["https://idp.example.com"], ["SHA256:short"], ["email:bob"], ["@example.com"], ["sub:1234"], ["issuer:idp"],
            ["a\nb@c.d"], ["bob@c.d\n"],
            ["email:a@b.c", "--issuer", "google"], ["/nonexistent/key.pub"], ["key:MD5:00"], ["bob@example.com", "--before", "soon"],
            ["1234", "--issuer", "gogle"], ["bob@example.com", "--before", "1970-01-01T00:00Z"], [""],
        ])
    func refused(words: [String]) throws {
        let desk = try Desk()
        let run = try desk.opk(["revoke"] + words)
        #expect(
            (run.status == 1 || run.status == 64) && run.errors.contains("opk: error: ") && desk.bytes("revoked") == nil, "\(words): \(run)"
        )
    }

    @Test(
        "A public key's file, a certificate's, and a private key's that lies beside its certificate, are the key; the certificate says who that is"
    )
    func files() throws {
        let desk = try Desk()
        let fingerprint = Self.key.sshFingerprint
        try desk.write("plain.pub", SSHKeyLine(blob: Self.key.sshBlob, type: Self.key.sshType, comment: "x").bytes)
        #expect(try desk.opk("revoke", desk.config + "/plain.pub").output.contains(": key:\(fingerprint)\n"))
        try desk.write("broken.pub", "nothing\n")
        #expect(try desk.opk("revoke", desk.config + "/broken.pub").status == 1)
        let login = try MintedLogin(userKey: TestKeys.p256)
        let certificate = try SSHCertificate(parsing: try login.certificate())
        try desk.write("id-cert.pub", SSHKeyLine(blob: certificate.blob, type: certificate.type, comment: "x").bytes)
        try desk.write("id", "-----BEGIN OPENSSH PRIVATE KEY-----\n")
        for name in ["id-cert.pub", "id"] {
            let run = try desk.opk("revoke", desk.config + "/" + name)
            #expect(run.status == 0 && run.output.contains(": key:SHA256:") && run.output.contains("  sudo opk revoke 'sub:"), "\(run)")
        }
        #expect(try Revocations(parsing: desk.bytes("revoked") ?? []).rows.count == 2)
        #expect(try desk.opk("restore", desk.config + "/id").status == 0)
    }

    @Test("--before is a time, and a wider row is enough")
    func before() throws {
        let desk = try Desk()
        var run = try desk.opk("revoke", "bob@example.com", "--before", "2026-11-21 12:00", zone: "Europe/Berlin")
        #expect(run.status == 0 && desk.text("revoked") == "email:bob@example.com  2026-11-21T11:00:00Z\n", "\(run)")
        #expect(try desk.opk("revoke", "BOB@example.com", "--before", "2026-11-20").output.contains("nothing was written"))
        #expect(try desk.opk("revoke", "bob@example.com", "--before", "now").status == 0)
        #expect(try desk.opk("revoke", "bob@example.com").status == 0)
        #expect(try desk.opk("revoke", "bob@example.com", "--before", "now", "--json").json()["already"]?.bool == true)
        #expect(try Revocations(parsing: desk.bytes("revoked") ?? []).rows.count == 3)
        run = try desk.opk("restore", "bob@example.com")
        #expect(run.status == 1 && run.errors.contains("3 rows") && run.errors.contains(":1: email:bob"), "\(run)")
        #expect(try desk.opk("restore", "--line", "3").status == 0)
        #expect(
            try desk.opk("restore", "--line", "3").status == 1 && desk.opk("restore", "--line", "0").status == 64
                && desk.opk("restore").status == 64)
        #expect(try desk.opk("restore", "bob@example.com", "--all", "--json").json()["removed"]?.array?.count == 2)
        #expect(desk.text("revoked") == "")
    }

    @Test("The one line that keeps revoked from being read goes where it is named, and nothing else does")
    func mended() throws {
        let desk = try Desk()
        let good = "# out\nemail:bob@example.com\n"
        try desk.write("revoked", good + "nonsense\n")
        let run = try desk.opk("restore", "--line", "2")
        #expect(run.status == 1 && run.errors.contains("opk restore --line 3"), "\(run)")
        #expect(try desk.opk("restore", "--line", "3", "--dry-run").status == 0 && desk.text("revoked") == good + "nonsense\n")
        #expect(try desk.opk("restore", "--line", "3").status == 0 && desk.text("revoked") == good)
        try desk.write("revoked", "nonsense\nmore\n")
        #expect(
            try desk.opk("restore", "--line", "1").status == 1 && desk.text("revoked") == "nonsense\nmore\n", "it would still not be read")
    }

    @Test("What a certificate says of its person is quoted for the shell that it may be copied into")
    func quoted() throws {
        let hostile: Text = "x'; touch /tmp/opk-owned; '@example.com"
        let said = "  sudo opk revoke " + RevokeCommand.quoted(hostile)
        let outcome = try ChildProcess.run(
            "/bin/sh", ["-c", "sudo() { shift 2; printf %s \"$1\"; }; " + said], environment: .inherited(), deadline: 5000)
        #expect(outcome.output == hostile.utf8)
    }

    @Test("A file that refuses everybody as it is, is not added to")
    func broken() throws {
        let desk = try Desk()
        try desk.write("revoked", "nonsense\n")
        let run = try desk.opk("revoke", "bob@example.com")
        #expect(
            run.status == 1 && run.errors.contains("refuses everybody") && run.errors.contains("opk edit revoked")
                && desk.text("revoked") == "nonsense\n", "\(run)")
        #expect(try desk.opk("restore", "bob@example.com").status == 1)
    }
}
