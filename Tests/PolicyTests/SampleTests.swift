import Foundation
import JOSE
import PKToken
import TestSupport
import Testing
import Vocabulary

@testable import Policy

/// The files in `policy/`: what an administrator finds after installing. Prose begins with "# ", an example with "#" alone.
@Suite struct SampleTests {
    func sample(_ name: String) throws -> String {
        try String(contentsOf: SharedData.packageRoot.appendingPathComponent("policy").appendingPathComponent(name), encoding: .utf8)
    }

    func uncommented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix("#") && line != "#" && !line.hasPrefix("# ") ? String(line.dropFirst()) : String(line)
        }.joined(separator: "\n")
    }

    @Test("as installed, the samples trust nobody, admit nobody, and are without a fault")
    func asInstalled() throws {
        let providers = Providers(parsing: Array(try sample("providers").utf8))
        #expect(providers.rows.isEmpty && providers.problems.isEmpty)
        let authID = AuthID(parsing: Array(try sample("auth_id").utf8))
        #expect(authID.rows.isEmpty && authID.problems.isEmpty)
        #expect(try ServerConfig(parsing: Array(try sample("config.yml").utf8)) == ServerConfig())
        #expect(try Revocations(parsing: Array(try sample("revoked").utf8)) == Revocations())
    }

    @Test("every example in them is right once its # is taken away")
    func examples() throws {
        let providers = Providers(parsing: Array(uncommented(try sample("providers")).utf8))
        #expect(providers.rows.count == 8 && providers.problems == [])
        let authID = AuthID(parsing: Array(uncommented(try sample("auth_id")).utf8))
        #expect(authID.rows.count == 10 && authID.problems == [])
        #expect(Set(authID.rows.prefix(6).map { "\($0.identity)".prefix(6) }).count == 6, "one of each form")
        #expect(authID.rows.dropFirst(6).allSatisfy { $0.options != RowOptions() })
        let config = try ServerConfig(parsing: Array(uncommented(try sample("config.yml")).utf8))
        #expect(config.denyUsers == ["postgres", "backup"] && config.denyEmails == ["mallory@example.com"])
        #expect(config.denyGroups == ["contractors-ended"] && !config.homePolicy && config.requirements.count == 2 && config.skew == 60)
        #expect(config.environment.map(\.name) == ["HTTPS_PROXY", "SSL_CERT_FILE"] && config.keys.maximumAge?.seconds == 86_400)
        let revoked = try Revocations(parsing: Array(uncommented(try sample("revoked")).utf8))
        #expect(revoked.rows.count == 4 && revoked.rows[3].before != nil)
    }

    @Test("the files of the shared vectors are read as they are meant", .enabled(if: SharedData.isThere, SharedData.absence))
    func vectors() throws {
        func bytes(_ name: String) throws -> [UInt8] {
            Array(try Data(contentsOf: SharedData.root.appendingPathComponent("opkssh-vectors/etc").appendingPathComponent(name)))
        }
        let providers = Providers(parsing: try bytes("providers"))
        #expect(providers.rows.count == 20 && providers.problems == [])
        let authID = AuthID(parsing: try bytes("auth_id"))
        // `anyuser oidc:`, `anyuser oidc-match-end:email:` and `emptyrow ""` would match everybody.
        #expect(authID.problems.map(\.line) == [25, 26, 33])
        #expect(authID.rows.count == 35)
        let config = try ServerConfig(parsing: try bytes("config.yml"))
        #expect(config.denyUsers == ["denieduser"] && config.denyEmails == ["denied@example.com"])
    }

    @Test("the shared vectors that are about policy are decided as they want", .enabled(if: SharedData.isThere, SharedData.absence))
    func decisions() throws {
        let folder = SharedData.root.appendingPathComponent("opkssh-vectors")
        let authID = Array(try Data(contentsOf: folder.appendingPathComponent("etc/auth_id")))
        let config = try ServerConfig(parsing: Array(try Data(contentsOf: folder.appendingPathComponent("etc/config.yml"))))
        let vectors = try JSONSerialization.jsonObject(with: Data(contentsOf: folder.appendingPathComponent("vectors.json")))
        var seen = 0
        for vector in try #require(vectors as? [[String: Any]]) {
            let name = try #require(vector["name"] as? String)
            guard name.hasPrefix("policy-") || name == "email-member-case", let payload = vector["payload"] as? String else { continue }
            let claims = try JSONObject(parsing: Array(payload.utf8))
            let issuer = try #require(claims["iss"]?.string)
            let account = principal(try #require(vector["user"] as? String))
            var login = Login(
                account: account, now: someMonday, row: ProviderRow(issuer: issuer, clientID: "client", expiry: .oidc),
                issuedAt: someMonday,
                key: "", hasAccessToken: false,
                token: Person(subject: claims["sub"]?.string ?? "", claims: claims, emailTrust: .unlessUnverified))
            let decision = login.deliberate(
                AuthID(parsing: authID, for: account, of: issuer), config, .withoutHomeAndPlugins
            ).verdict
            let isAdmitted = if case .admitted = decision { true } else { false }
            #expect(isAdmitted == (vector["want"] as? String == "accept"), "\(name): \(decision)")
            seen += 1
        }
        #expect(seen >= 19)
    }

    @Test("a sample that is cut anywhere, or has any byte changed, is read or refused, never a crash")
    func damaged() throws {
        let readers: [(String, ([UInt8]) -> Void)] = [
            ("providers", { _ = Providers(parsing: $0) }), ("auth_id", { _ = AuthID(parsing: $0) }),
            ("config.yml", { _ = try? ServerConfig(parsing: $0) }), ("revoked", { _ = try? Revocations(parsing: $0) }),
        ]
        for (name, read) in readers {
            let whole = Array(uncommented(try sample(name)).utf8.suffix(400))
            for index in whole.indices {
                for replacement: UInt8 in [0x00, 0x0A, 0x22, 0x23, 0x27, 0x5C, 0x7B, 0xC3] {
                    var changed = whole
                    changed[index] = replacement
                    read(changed)
                }
                read(Array(whole[..<index]))
            }
        }
    }
}
