import ChildProcess
import HTTP
import JOSE
import LibCrypto
import MintingKit
import PKToken
import TestSupport
import Testing
import Vocabulary

@testable import CIToken

private func environment(_ variables: [String: String]) -> ProcessEnvironment {
    ProcessEnvironment(entries: variables.map { Array("\($0.key)=\($0.value)".utf8) })
}

/// An ID token as a CI system signs one.
private func makeToken(_ claims: JSON, header: JSON = ["typ": "JWT", "kid": "key-1"], key: PrivateKey = TestKeys.rsa) throws -> [UInt8] {
    let algorithm: JWSAlgorithm = if case .rsa = key.publicKey { .rs256 } else { .es256 }
    return try JWS.sign(claims.serialized, header: header.object ?? JSONObject(), with: key, algorithm)
}

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

@Suite("Which CI system's job this is")
struct CISystemTests {
    private static let gitHub = "https://run-actions-1-azure-eastus.actions.githubusercontent.com/154//idtoken/a/b?api-version=2.0"
    private static let forgejo = "https://codeberg.org/api/actions/_apis/pipelines/workflows/42/idtoken?placeholder=true"

    @Test("it is told by what runners set; where GitHub's and Forgejo's agree, the address decides")
    func detection() {
        let rows: [([String: String], CISystem?)] = [
            ([:], nil), (["CI": "true"], nil), (["GITHUB_ACTIONS": ""], nil), (["GITHUB_ACTIONS": "true"], .github),
            (["GITHUB_ACTIONS": "true", "FORGEJO_ACTIONS": "true"], .forgejo), (["GITLAB_CI": "true"], .gitlab),
            (["GITHUB_ACTIONS": "true", "ACTIONS_ID_TOKEN_REQUEST_URL": Self.forgejo], .forgejo),
            (["GITHUB_ACTIONS": "true", "ACTIONS_ID_TOKEN_REQUEST_URL": Self.gitHub], .github),
            (["ACTIONS_ID_TOKEN_REQUEST_URL": "https://example.com/"], nil),
        ]
        for (variables, system) in rows { #expect(CISystem(runningIn: environment(variables)) == system, "\(variables)") }
        #expect(CISystem(alias: "codeberg") == .forgejo && CISystem(alias: "gitlab-ci") == .gitlab && CISystem(alias: "gitlab") == nil)
    }

    @Test(
        "the issuer is GitHub's own, or the Forgejo's address up to its Actions, to the byte",
        arguments: [
            (gitHub, "https://token.actions.githubusercontent.com"), (forgejo, "https://codeberg.org/api/actions"),
            ("https://Git.example.com:8443/forge/api/actions/x/api/actions/y", "https://Git.example.com:8443/forge/api/actions"),
            ("https://actions.githubusercontent.com.example.com/x", nil), ("https://evilactions.githubusercontent.com/x", nil),
            ("https://ghe.example.com/_services/pipelines/x?y=1", nil), ("https://example.com/?/api/actions/", nil),
            ("https://example.com/api/actions", nil),
        ] as [(String, String?)])
    func issuer(_ address: String, _ issuer: String?) throws {
        #expect(ActionsOrigin(requestURL: try WebURL(parsing: address))?.issuer.string == issuer)
    }

    @Test(
        "a job whose workflow does not let it ask is told the line that is missing",
        arguments: [
            (CISystem.github, "id-token: write"), (.forgejo, "enable-openid-connect: true"), (.gitlab, "id_tokens: {OPENPUBKEY_JWT"),
        ])
    func missing(_ system: CISystem, _ line: String) throws {
        let half = ["ACTIONS_ID_TOKEN_REQUEST_URL": system == .github ? Self.gitHub : Self.forgejo, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": ""]
        for variables in [[:], half] {
            let error = #expect(throws: CITokenError.self) { try CIJob(system, in: environment(variables)) }
            #expect(error?.hint?.contains(line) == true, "\(String(describing: error))")
            #expect(error?.isUsage == false)
        }
    }

    @Test("an address that is neither's, or that is not asked by https, is not asked")
    func foreignAddress() {
        for address in [
            "https://ghe.example.com/_services/x", "http://codeberg.org/api/actions/x", "https://a:b@codeberg.org/api/actions/x", "x",
        ] {
            let variables = ["ACTIONS_ID_TOKEN_REQUEST_URL": address, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "secret-bearer"]
            let error = #expect(throws: CITokenError.self) { try CIJob(.forgejo, in: environment(variables)) }
            #expect(error.map { "\($0)" }?.contains("secret") == false)
        }
    }
}

@Suite("GitHub's and Forgejo's jobs ask for their identity")
struct ActionsTokenRequestTests {
    private func job(_ server: ScriptedServer, query: String = "?placeholder=true", bearer: String = "the-bearer") throws -> CIJob {
        try CIJob(
            .forgejo,
            in: environment([
                "ACTIONS_ID_TOKEN_REQUEST_URL": server.url + "/api/actions/_apis/42/idtoken" + query,
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": bearer,
            ]))
    }

    @Test("with the commitment as audience, what was there of a query kept, and the bearer token in a header alone")
    func request() throws {
        let answer = text(try makeToken(["aud": "c+/=", "iss": "x"]))
        let server = try ScriptedServer { _, connection in
            connection.answer(type: "application/json; charset=utf-8", #"{"value":"\#(answer)","count":1}"#)
        }
        #expect(try job(server).issuer.string == server.url + "/api/actions")
        let received = try job(server, query: "?a=1&audience=other&b=2").token(for: "c+/=", client: HTTPClient())
        #expect(text(received.signedBytes + [UInt8(ascii: ".")] + Base64URL.encodeBytes(received.signature)) == answer)
        let request = try #require(server.requests.first)
        #expect(request.method == "GET" && request.target == "/api/actions/_apis/42/idtoken?a=1&b=2&audience=c%2B%2F%3D")
        #expect(request.header("Authorization") == "Bearer the-bearer")
        #expect(try !job(server).provesCommitment && job(server).tokenIsFresh)
    }

    @Test("a redirect is not followed: whoever it leads to would take the bearer token along")
    func redirect() throws {
        let server = try ScriptedServer { request, connection in
            if request.target.contains("elsewhere") { return connection.answer(#"{"value": "a.b.c"}"#) }
            connection.answer(302, headers: ["Location: /elsewhere"], "")
        }
        let error = #expect(throws: CITokenError.self) { try job(server).token(for: "c", client: HTTPClient()) }
        guard case .request(_, let http)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(http.code == .redirectRefused)
        #expect(server.requests.count == 1)
    }

    @Test(
        "an answer that is no identity, or another's, is an error that shows nothing of it",
        arguments: [
            (200, "text/html", "{}"), (200, "application/json", "[]"), (200, "application/json", "{}"),
            (200, "application/json", #"{"value": ""}"#), (200, "application/json", #"{"value": "s3cret.s3cret"}"#),
            (200, "application/json", #"{"value": 1}"#), (403, "application/json", #"{"value": "s3cret"}"#),
            (200, "application/json", #"{"value": "x", "value": "y"}"#), (200, "application/json", "OTHER"),
            (200, "application/json", String(repeating: " ", count: 65 << 10) + "{}"),
        ])
    func badAnswer(_ status: Int, _ type: String, _ body: String) throws {
        let other = #"{"value":"\#(text(try makeToken(["aud": "other"])))"}"#
        let server = try ScriptedServer { _, connection in connection.answer(status, type: type, body == "OTHER" ? other : body) }
        let error = #expect(throws: CITokenError.self) { try job(server).token(for: "c", client: HTTPClient()) }
        let said = error.map { "\($0) \($0.hint ?? "")" } ?? ""
        #expect(!said.contains("s3cret") && !said.contains("eyJ") && !said.contains("the-bearer"))
        #expect(server.requests.count == 1)
    }

    @Test("a service that is out of breath is asked again; a bearer token that no header can carry is not sent")
    func patience() throws {
        let answer = text(try makeToken(["aud": "c"]))
        let server = try ScriptedServer()
        server.play { [weak server] _, connection in
            if server?.requests.count == 1 { connection.answer(503, "{}") } else { connection.answer(#"{"value": "\#(answer)"}"#) }
        }
        _ = try job(server).token(for: "c", client: HTTPClient())
        #expect(server.requests.count == 2)
        #expect(throws: CITokenError.self) { try job(server, bearer: "a\r\nb").token(for: "c", client: HTTPClient()) }
        #expect(server.requests.count == 2)
    }
}

@Suite("GitLab's jobs have their identity from the start")
struct GitLabTokenTests {
    private static let now = UnixTime(seconds: 1_790_000_000)

    private func job(_ claims: JSON?, _ more: [String: String] = [:]) throws -> CIJob {
        var variables = more
        if let claims { variables["OPENPUBKEY_JWT"] = text(try makeToken(claims)) }
        return try CIJob(.gitlab, in: environment(variables), at: Self.now)
    }

    @Test("its audience, with the prefix, is the client id; its issuer is the server's, or gitlab.com")
    func good() throws {
        let claims: JSON = ["aud": "OPENPUBKEY-PKTOKEN:1234", "iss": "https://gitlab.com", "exp": 1_790_000_300]
        let job = try job(claims)
        #expect(job.clientID == "OPENPUBKEY-PKTOKEN:1234" && job.issuer == "https://gitlab.com" && job.provesCommitment)
        let own: JSON = ["aud": "OPENPUBKEY-PKTOKEN:1234", "iss": "https://git.example.com"]
        #expect(try self.job(own, ["CI_SERVER_URL": "https://git.example.com"]).issuer == "https://git.example.com")
    }

    @Test("one that is absent, malformed, for somebody else, over, or another server's is refused, and not shown")
    func bad() throws {
        let rows: [(JSON, String)] = [
            (["aud": "https://example.com", "iss": "https://gitlab.com"], "https://example.com"),
            (["aud": "OPENPUBKEY-PKTOKEN:", "iss": "https://gitlab.com"], "aud"),
            (["aud": ["OPENPUBKEY-PKTOKEN:1"], "iss": "https://gitlab.com"], "aud"), (["iss": "https://gitlab.com"], "aud"),
            (["aud": "OPENPUBKEY-PKTOKEN:1", "iss": "https://gitlab.com", "exp": 1_790_000_000], "was good until"),
            (["aud": "OPENPUBKEY-PKTOKEN:1", "iss": "https://git.example.com"], "https://git.example.com"),
        ]
        for (claims, words) in rows {
            let error = #expect(throws: CITokenError.self) { try job(claims) }
            #expect(error.map { "\($0)" }?.contains(words) == true && error?.hint != nil, "\(claims)")
        }
        for malformed in ["s3cret", "a.b.c", "eyJhbGciOiJSUzI1NiJ9.eyJhIjoxfQ"] {
            let error = #expect(throws: CITokenError.self) { try job(nil, ["OPENPUBKEY_JWT": malformed]) }
            #expect(error.map { "\($0)" }?.contains(malformed) == false)
        }
    }
}

@Suite("A proof in the place of the signature")
struct GQTokenTests {
    private func keys(_ keys: [JSON]) throws -> JWKSet { try JWKSet(["keys": .array(keys)]) }
    private func jwk(_ key: PrivateKey = TestKeys.rsa, kid: String = "key-1") -> JSON {
        MintedLogin.jwk(key.publicKey, ["kid": .string(Text(kid)), "alg": "RS256"])
    }

    @Test("has the same claims, the original header in kid, and nothing of the signature; the verifier's own code says it is good")
    func proof() throws {
        let token = try JWS(parsing: try makeToken(["aud": "x", "sub": "y"]))
        let proven = try token.proven(with: try keys([jwk()]), commitment: "the-commitment")
        #expect(proven.encodedPayload == token.encodedPayload)
        #expect(proven.header.members["cic"] == "the-commitment" && proven.header.type == "JWT")
        #expect(proven.header.members["alg"] == "GQ256" && proven.header.keyID?.utf8 == token.encodedHeader)
        #expect(proven.header.members["jkt"]?.string == TestKeys.rsa.publicKey.jwkThumbprint)
        guard case .rsa(let key) = TestKeys.rsa.publicKey else { return }
        #expect(GQSignature.verifies(proven.signature, identity: token.signedBytes, message: proven.signedBytes, key: key))
        let pieces = stride(from: 0, to: token.signature.count - 8, by: 8).map { Array(token.signature[$0..<($0 + 8)]) }
        let all = proven.signature
        #expect(!pieces.contains { piece in (0..<(all.count - 8)).contains { all[$0...].starts(with: piece) } })
        #expect(try token.proven(with: try keys([jwk()])).header.members["cic"] == nil)
        // Two proofs of the same token have nothing in common that would tell one from the other's maker.
        #expect(try token.proven(with: try keys([jwk()])).signature != token.proven(with: try keys([jwk()])).signature)
    }

    @Test("is made with the issuer's key of that kid, and not at all where that did not sign, or not with RS256")
    func refused() throws {
        let token = try JWS(parsing: try makeToken(["aud": "x"]))
        let (others, unnamed, one) = (try keys([jwk(TestKeys.otherRSA)]), try keys([jwk(kid: "other")]), try keys([jwk()]))
        let error = #expect(throws: CITokenError.self) { try token.proven(with: others) }
        guard case .signature? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        let absent = #expect(throws: CITokenError.self) { try token.proven(with: unnamed) }
        guard case .noKey? = absent else {
            Issue.record("\(String(describing: absent))")
            return
        }
        let both = try keys([jwk(TestKeys.otherRSA), jwk()])
        #expect(try token.proven(with: both).header.members["jkt"]?.string == TestKeys.rsa.publicKey.jwkThumbprint)
        let elliptic = try JWS(parsing: try makeToken(["aud": "x"], key: TestKeys.p256))
        let unfit = #expect(throws: CITokenError.self) { try elliptic.proven(with: one) }
        guard case .algorithm("ES256")? = unfit else {
            Issue.record("\(String(describing: unfit))")
            return
        }
    }
}
