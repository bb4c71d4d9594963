import Foundation
import HTTP
import KeyCache
import TestSupport
import Testing
import Vocabulary

@testable import OIDC

@Suite("Where userinfo is asked")
final class UserinfoTests: Sendable {
    let provider: FakeProvider
    let folder: URL
    let cache: KeyCache

    init() throws {
        provider = try FakeProvider()
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("opk-userinfo-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        cache = KeyCache(directory: folder.path)
        provider.play { $0.target == "/me" ? "{\"sub\":\"a\"}" : "{}" }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func keep(_ issuer: Text, userinfo: String, age: Int64 = 0) throws {
        let keys = try #require(
            CachedKeys(
                issuer: issuer, keysURI: Text(issuer.string + "/jwks"), userinfoEndpoint: Text(userinfo), fetchedAt: .now() + -age,
                body: Array(FakeProvider.keySet.utf8)))
        try cache.write(keys)
    }

    private func fetch(_ issuer: Text) throws -> [UInt8] {
        let client = HTTPClient(timeout: .seconds(3))
        return try Userinfo.fetch(of: issuer, accessToken: Secret(Array("t0ken".utf8)), cache: cache, client: client)
    }

    @Test("at the endpoint that the cache knows, without a look at the discovery document")
    func cached() throws {
        try keep(provider.issuer, userinfo: provider.server.url + "/me")
        #expect(try fetch(provider.issuer) == Array("{\"sub\":\"a\"}".utf8))
        #expect(provider.server.requests.map(\.target) == ["/me"])
    }

    @Test("C42 but not where an edited cache would send the access token: to this machine, to a private address, over plain http")
    func pivot() throws {
        for endpoint in [
            provider.server.url + "/me", "http://localhost:\(provider.server.port)/me", "https://127.0.0.1:\(provider.server.port)/me",
            "https://10.0.0.1/me", "https://169.254.169.254/latest", "http://idp.example.com/me", "file:///etc/passwd", "nonsense",
        ] {
            try keep("https://idp.example.com", userinfo: endpoint)
            #expect(throws: OIDCError.endpoint("userinfo_endpoint"), "\(endpoint)") { try fetch("https://idp.example.com") }
        }
        #expect(provider.server.requests.isEmpty)
    }

    @Test("at the endpoint that the provider names, where the cache is too old to say")
    func discovered() throws {
        try keep(provider.issuer, userinfo: provider.server.url + "/old", age: KeyLimits.standard.maximumAge)
        let discovery = provider.discovery()
        provider.play { $0.target == "/me" ? "{\"sub\":\"a\"}" : discovery }
        #expect(try fetch(provider.issuer) == Array("{\"sub\":\"a\"}".utf8))
        #expect(provider.server.requests.map(\.target) == ["/.well-known/openid-configuration", "/me"])
    }
}
