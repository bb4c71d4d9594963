import CIToken
import ChildProcess
import Foundation
import JOSE
import LibCrypto
import SSHKeys
import TestSupport
import Testing
import Vocabulary

@testable import Login

/// `opk login` in the environment that a runner makes, against a Forgejo and a GitLab on loopback.
@Suite("opk login in a job of a CI system", .serialized)
struct CILoginTests {
    /// What `opk-verify` answers with such a row of `providers` and of `auth_id`, having fetched the issuer's keys itself.
    private func verdict(_ certificate: SSHKeyLine, provider: String, auth: String) async throws -> CommandTests.Run {
        let folder = try TemporaryFolder()
        for name in ["etc", "cache"] {
            try FileManager.default.createDirectory(
                atPath: folder.path + "/" + name, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        }
        try folder.write(Array((provider + "\n").utf8), to: "etc/providers", mode: 0o640)
        try folder.write(Array((auth + "\n").utf8), to: "etc/auth_id", mode: 0o640)
        let words =
            ["--config-dir", folder.path + "/etc", "--cache-dir", folder.path + "/cache", "--state-dir", folder.path + "/state", "--"]
            + ["deploy", Base64.encode(certificate.blob), certificate.type]
        return try await onThread {
            Result {
                let process = Process()
                process.executableURL = BuiltPrograms.folder.appendingPathComponent("opk-verify")
                process.arguments = words
                process.environment = ["PATH": "/usr/bin:/bin"]
                let (output, errors) = (Pipe(), Pipe())
                (process.standardOutput, process.standardError) = (output, errors)
                try process.run()
                let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                process.waitUntilExit()
                return CommandTests.Run(status: process.terminationStatus, output: text, errors: said)
            }
        }.get()
    }

    private func certificate(in folder: TemporaryFolder, _ name: String = ".ssh/id_ecdsa-cert.pub") throws -> SSHKeyLine {
        try #require(SSHKeyLine(parsing: try folder.read(name)))
    }

    /// Whether any 12 bytes of the signature stand in `bytes`, as they are or in base64url.
    private func shows(_ signature: [UInt8], in bytes: [UInt8]) -> Bool {
        let forms = [signature, Array(Base64URL.encode(signature).utf8)]
        let pieces = Set(forms.flatMap { form in stride(from: 0, to: form.count - 12, by: 1).map { Array(form[$0..<($0 + 12)]) } })
        return (0..<max(0, bytes.count - 12)).contains { pieces.contains(Array(bytes[$0..<($0 + 12)])) }
    }

    @Test(
        "a job of a Forgejo logs in without a word about whose it is; opk-verify admits it, and the token's signature is nowhere",
        arguments: [[], ["forgejo"], ["codeberg", "-t", "ed25519"]])
    func forgejo(arguments: [String]) async throws {
        let (issuer, folder) = (try CIIssuer(), try TemporaryFolder())
        try folder.write(Array("#!/bin/sh\nenv > \(folder.path)/seen\n".utf8), to: "browser", mode: 0o700)
        let run = try await CommandTests.run(
            ["login"] + arguments, home: folder.path, browser: folder.path + "/browser", adding: issuer.forgejoJob)
        #expect(run.status == 0, "\(run)")
        #expect(run.output.contains("Logged in as \(CIIssuer.subject) at \(issuer.forgejoIssuer)."))
        #expect(run.output.contains("Good until "))
        let line = try certificate(in: folder, arguments.contains("ed25519") ? ".ssh/id_ed25519-cert.pub" : ".ssh/id_ecdsa-cert.pub")
        let admitted = try await verdict(
            line, provider: "\(issuer.forgejoIssuer) forgejo 1h",
            auth: "deploy \(CIIssuer.subject) \(issuer.forgejoIssuer)")
        #expect(admitted.status == 0 && admitted.output.hasPrefix("cert-authority,"), "\(admitted)")
        let elsewhere = try await verdict(
            line, provider: "\(issuer.forgejoIssuer) forgejo 1h",
            auth: "deploy repo:acme-9/other-85:ref:refs/heads/main \(issuer.forgejoIssuer)")
        #expect(elsewhere.status == 1 && elsewhere.output.isEmpty, "\(elsewhere)")
        // What was asked for, and with what.
        let asked = try #require(issuer.server.requests.first { $0.target.contains("idtoken") })
        #expect(asked.header("Authorization") == "Bearer runner-s3cret")
        #expect(!(run.output + run.errors).contains("s3cret") && !(run.output + run.errors).contains("eyJ"))
        #expect(!folder.names.contains("seen"), "no browser is opened in a job")
    }

    @Test("the certificate holds the claims and a proof, and nothing of the signature that makes the token worth something")
    func secrecy() async throws {
        let (issuer, folder) = (try CIIssuer(), try TemporaryFolder())
        let job = issuer.gitLabJob()
        let token = try JWS(parsing: Array((job["OPENPUBKEY_JWT"] ?? "").utf8))
        let run = try await CommandTests.run(["login", "-i", folder.path + "/key"], home: folder.path, adding: job)
        #expect(run.status == 0, "\(run)")
        let line = try certificate(in: folder, "key-cert.pub")
        let option = try #require(try SSHCertificate(parsing: line.blob).extensionNamed(SSHCertificate.tokenExtension))
        #expect(option.value.starts(with: token.encodedPayload))
        #expect(!shows(token.signature, in: line.blob))
        // The search finds what is there.
        #expect(shows(token.signature, in: line.blob + [1] + token.signature.prefix(40)))
        #expect(shows(token.signature, in: option.value + Array(Base64URL.encode(token.signature).utf8.prefix(40))))
        for name in folder.names {
            // Folders cannot be read.
            guard let bytes = try? folder.read(name) else { continue }
            #expect(!shows(token.signature, in: bytes), "\(name)")
        }
    }

    @Test("a job of GitLab's logs in with OPENPUBKEY_JWT, whose audience is the client id on the server", arguments: [[], ["gitlab-ci"]])
    func gitLab(arguments: [String]) async throws {
        let (issuer, folder) = (try CIIssuer(), try TemporaryFolder())
        let run = try await CommandTests.run(["login"] + arguments, home: folder.path, adding: issuer.gitLabJob())
        #expect(run.status == 0, "\(run)")
        let row = "\(issuer.server.url) OPENPUBKEY-PKTOKEN:1234 1h"
        let auth = "deploy oidc:repository:acme/app \(issuer.server.url)"
        let line = try certificate(in: folder)
        let admitted = try await verdict(line, provider: row, auth: auth)
        #expect(admitted.status == 0 && admitted.output.hasPrefix("cert-authority,"), "\(admitted)")
        let other = try await verdict(line, provider: "\(issuer.server.url) OPENPUBKEY-PKTOKEN:other 1h", auth: auth)
        #expect(other.status == 1 && other.output.isEmpty, "\(other)")
        #expect(!(run.output + run.errors).contains("eyJ"))
    }

    @Test("the certificate ends an hour after the token was issued, unless --valid-for says otherwise")
    func lifetime() async throws {
        let issuer = try CIIssuer()
        for (arguments, seconds) in [([], 3600), (["--valid-for", "oidc"], 300), (["--valid-for", "6h"], 21_600)] as [([String], UInt64)] {
            let folder = try TemporaryFolder()
            let before = UInt64(UnixTime.now().seconds)
            let run = try await CommandTests.run(["login"] + arguments, home: folder.path, adding: issuer.forgejoJob)
            #expect(run.status == 0, "\(run)")
            let end = try SSHCertificate(parsing: try certificate(in: folder).blob).validBefore
            #expect((seconds...(seconds + 60)).contains(end - before))
        }
    }

    @Test(
        "what a workflow lacks is said with the line to add, and the status is 1; a call for another system ends with 64",
        arguments: [
            (["GITHUB_ACTIONS": "true"], ["login"], 1, "id-token: write"),
            (["GITHUB_ACTIONS": "true"], ["login", "github"], 1, "id-token: write"),
            (["FORGEJO_ACTIONS": "true", "GITHUB_ACTIONS": "true"], ["login"], 1, "enable-openid-connect: true"),
            (["GITLAB_CI": "true"], ["login"], 1, "OPENPUBKEY_JWT"),
            (["GITLAB_CI": "true", "OPENPUBKEY_JWT": "s3cret"], ["login"], 1, "id_tokens"),
            (["GITLAB_CI": "true"], ["login", "github"], 64, "opk login gitlab-ci"),
            ([:], ["login", "github"], 64, "GITHUB_ACTIONS is not set"), ([:], ["login", "gitlab-ci"], 64, "GITLAB_CI is not set"),
            ([:], ["login", "forgejo"], 64, "FORGEJO_ACTIONS is not set"),
            (["OPKSSH_DEFAULT": "github"], ["login"], 64, "GITHUB_ACTIONS is not set"),
        ] as [([String: String], [String], Int32, String)])
    func missing(_ environment: [String: String], _ arguments: [String], _ status: Int32, _ words: String) async throws {
        let folder = try TemporaryFolder()
        let run = try await CommandTests.run(arguments, home: folder.path, adding: environment)
        #expect(run.status == status && run.output.isEmpty, "\(run)")
        #expect(run.errors.contains("opk: error: ") && run.errors.contains("opk: hint: ") && run.errors.contains(words), "\(run)")
        #expect(!run.errors.contains("s3cret"))
        #expect(folder.names.isEmpty)
    }

    @Test("in a job a provider that is named is still meant")
    func named() throws {
        let job = ProcessEnvironment(entries: ["GITHUB_ACTIONS=true", "OPKSSH_DEFAULT=google"].map { Array($0.utf8) })
        #expect(try CILogin.job(alias: "google", among: ProviderConfig.builtIn, in: job) == nil)
        #expect(try CILogin.job(alias: nil, among: ProviderConfig.builtIn, in: job) == nil)
        // Outside of jobs a configured provider may be called so.
        var own = ProviderConfig(issuer: "https://git.example.com", clientID: "opk")
        own.aliases = ["forgejo"]
        #expect(try CILogin.job(alias: "forgejo", among: [own], in: .empty) == nil)
        #expect(throws: LoginError.self) { try CILogin.job(alias: "forgejo", among: [], in: job) }
    }

    @Test(
        "a token that a server would refuse writes nothing, and neither does one that is signed otherwise",
        arguments: [["iss": "https://elsewhere.example.com"], ["sub": ""], ["exp": nil], ["iat": 4_000_000_000]] as [[Text: JSON?]])
    func refused(_ changes: [Text: JSON?]) async throws {
        let folder = try TemporaryFolder()
        let issuer = try CIIssuer(changes.mapValues { $0 ?? .null })
        let run = try await CommandTests.run(["login"], home: folder.path, adding: issuer.forgejoJob)
        #expect(run.status == 1 && run.output.isEmpty, "\(run)")
        #expect(run.errors.contains("opk: error: a server would refuse this identity: "))
        #expect(folder.names.filter { $0.contains("id_") }.isEmpty)
    }
}
