import Foundation
import TestSupport
import Testing

/// Reads the tests themselves: what issue 5 wants proved is proved by tests that carry its names.
@Suite("Every adversary and every check of OpenID's has its test")
struct EveryAdversaryTests {
    /// Tests of the laptop. Those of the server's modules carry some of the same IDs, which say nothing about the client.
    static let clientTargets = [
        "RelyingPartyTests", "LoginTests", "OIDCTests", "HTTPTests", "QRCodeTests", "SSHAgentTests", "IdentitiesTests", "TokenStoreTests",
        "SSHConfigurationTests", "CITokenTests", "EndToEnd",
    ]

    /// The names of all tests of these targets, as `@Test("…")` gives them.
    static func names(in targets: [String]) throws -> [String] {
        let folder = SharedData.packageRoot.appendingPathComponent("Tests")
        let name = /@Test\(\s*"((?:[^"\\]|\\.)*)"/
        return try targets.flatMap { target in
            let files = FileManager.default.enumerator(at: folder.appendingPathComponent(target), includingPropertiesForKeys: nil)
            return try (files?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "swift" }.flatMap { file in
                try String(contentsOf: file, encoding: .utf8).matches(of: name).map { String($0.1) }
            }
        }
    }

    @Test("every client adversary of ADVERSARIES has a test of the client that carries its ID")
    func adversaries() throws {
        let names = try Self.names(in: Self.clientTargets)
        let missing = (1...42).map { String(format: "C%02d", $0) }.filter { id in !names.contains { $0.contains(id) } }
        #expect(missing.isEmpty)
    }

    /// For a client of the code flow: the plans basic, config and refresh token.
    static let modules = [
        "client-test", "client-test-client-secret-basic", "client-test-idtoken-sig-none", "client-test-idtoken-sig-rs256",
        "client-test-invalid-aud", "client-test-invalid-sig-rs256", "client-test-invalid-iss", "client-test-userinfo-invalid-sub",
        "client-test-kid-absent-single-jwks", "client-test-kid-absent-multiple-jwks", "client-test-missing-iat", "client-test-missing-sub",
        "client-test-nonce-invalid", "client-test-scope-userinfo-claims", "client-test-userinfo-bearer-header",
        "client-test-discovery-openid-config", "client-test-discovery-jwks-uri-keys", "client-test-discovery-issuer-mismatch",
        "client-test-signing-key-rotation", "client-test-signing-key-rotation-just-before-signing", "client-test-refresh-token",
        "client-test-refresh-token-invalid-issuer", "client-test-refresh-token-invalid-sub",
    ]

    @Test("every relying-party check that OpenID has for the code flow is here, by its name")
    func relyingParty() throws {
        let names = try Self.names(in: ["RelyingPartyTests"])
        let missing = Self.modules.filter { module in !names.contains { $0.wholeMatch(of: try! Regex("oidcc-\(module)[:,].*")) != nil } }
        #expect(missing.isEmpty)
    }
}
