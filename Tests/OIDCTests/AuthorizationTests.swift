import Foundation
import HTTP
import JOSE
import LibCrypto
import TestSupport
import Testing
import Vocabulary

@testable import OIDC

@Suite("A login through the browser")
struct AuthorizationTests {
    let provider: FakeProvider
    let me = ClientRegistration(clientID: "me & you")
    let redirect = "http://localhost:3000/login-callback"

    init() throws { provider = try FakeProvider() }

    private func request(_ members: [String: String?] = [:], _ options: AuthorizationRequest.Options = .init()) throws
        -> AuthorizationRequest
    {
        try AuthorizationRequest(to: provider.document(members), as: me, redirectURI: redirect, nonce: "n0nce", options: options)
    }

    private func fields(_ request: AuthorizationRequest) throws -> [String: String] {
        let query = try #require(request.url.split(separator: "?", maxSplits: 1).last)
        let fields = try #require(Form.decode(String(query)))
        return Dictionary(fields.map { ($0.name, $0.value) }, uniquingKeysWith: { _, _ in "twice" })
    }

    @Test("C20 asks for a code with S256, state and nonce, and never twice with the same")
    func parameters() throws {
        let first = try request(
            [:], .init(scopes: ["openid", "email"], prompt: "consent", accessType: "offline", extra: [("hd", "x"), ("state", "y")]))
        let fields = try fields(first)
        #expect(first.url.hasPrefix(provider.server.url + "/authorize?response_type=code&client_id=me%20%26%20you&"))
        #expect(fields["response_type"] == "code" && fields["client_id"] == "me & you" && fields["redirect_uri"] == redirect)
        #expect(fields["scope"] == "openid email" && fields["nonce"] == "n0nce" && fields["state"] == first.state.string)
        #expect(fields["prompt"] == "consent" && fields["access_type"] == "offline" && fields["hd"] == "x")
        #expect(fields["code_challenge_method"] == "S256" && fields["response_mode"] == nil)
        let verifier = String(decoding: first.verifier.exposed, as: UTF8.self)
        #expect(verifier.utf8.count == 43 && verifier.utf8.allSatisfy { Form.escape(String(UnicodeScalar($0))).utf8.count == 1 })
        #expect(fields["code_challenge"] == Base64URL.encode(Digest.sha256(Array(verifier.utf8))) && first.state.count == 43)
        let second = try request()
        #expect(second.state != first.state && second.verifier != first.verifier)
    }

    @Test("C20 makes the challenge of RFC 7636 appendix B")
    func challenge() {
        #expect(
            AuthorizationRequest.challenge(for: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
                == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    }

    @Test("C20 is given up where the provider takes plain only")
    func plainOnly() throws {
        #expect(throws: OIDCError.noPKCE) { try request(["code_challenge_methods_supported": "[\"plain\"]"]) }
        _ = try request(["code_challenge_methods_supported": "[\"plain\",\"S256\"]"])
    }

    @Test("C34 keeps the endpoint's own query, and refuses one that speaks for us")
    func ownQuery() throws {
        let url = provider.server.url + "/authorize"
        #expect(
            try request(["authorization_endpoint": "\"\(url)?tenant=a%20b&x\""]).url.hasPrefix(url + "?tenant=a%20b&x&response_type=code&"))
        for query in ["state=x", "redirect%5Furi=x", "a=%"] {
            #expect(throws: OIDCError.self) { try request(["authorization_endpoint": "\"\(url)?\(query)\""]) }
        }
        #expect(throws: OIDCError.self) { try request(["authorization_endpoint": nil]) }
    }

    @Test("C15 takes a code with this login's state, and no other")
    func state() throws {
        let document = try provider.document()
        let response = try AuthorizationResponse(query: "code=a%2Bb&state=s1&session_state=x", state: "s1", from: document)
        #expect(response.code == Secret(Array("a+b".utf8)))
        for query in ["code=a", "code=a&state=", "code=a&state=s2", "code=a&state=s", "code=a&state=s1x", "code=a&State=s1"] {
            #expect(throws: OIDCError.authorizationResponse(.state)) {
                try AuthorizationResponse(query: query, state: "s1", from: document)
            }
        }
        #expect(throws: OIDCError.authorizationResponse(.state)) {
            try AuthorizationResponse(query: "code=a&state=", state: "", from: document)
        }
    }

    @Test("C16 takes neither duplicates, nor a code with an error, nor neither, nor 64 KiB")
    func duplicates() throws {
        let document = try provider.document()
        func fault(_ query: String) -> OIDCError? {
            #expect(throws: OIDCError.self) { try AuthorizationResponse(query: query, state: "s", from: document) }
        }
        for query in ["code=a&code=b&state=s", "code=a&code=a&state=s", "state=s&state=s&code=a", "iss=x&iss=x&state=s&code=a"] {
            #expect(fault(query) == .authorizationResponse(.duplicate))
        }
        for query in ["code=a&error=x&state=s", "state=s", "code=&state=s"] { #expect(fault(query) == .authorizationResponse(.noCode)) }
        for query in ["code=%&state=s", "code=a&state=s&x=" + String(repeating: "a", count: 64 << 10)] {
            #expect(fault(query) == .authorizationResponse(.malformed))
        }
    }

    @Test("C02 takes a code only from the provider that was asked (RFC 9207)")
    func mixUp() throws {
        let silent = try provider.document()
        let naming = try provider.document(["authorization_response_iss_parameter_supported": "true"])
        let own = "code=a&state=s&iss=" + Form.escape(provider.server.url)
        for document in [silent, naming] {
            _ = try AuthorizationResponse(query: own, state: "s", from: document)
            for query in [own + "%2F", "code=a&state=s&iss=https%3A%2F%2Fevil.example", "code=a&state=s&iss="] {
                #expect(throws: OIDCError.authorizationResponse(.issuer)) {
                    try AuthorizationResponse(query: query, state: "s", from: document)
                }
            }
        }
        _ = try AuthorizationResponse(query: "code=a&state=s", state: "s", from: silent)
        #expect(throws: OIDCError.authorizationResponse(.issuer)) {
            try AuthorizationResponse(query: "code=a&state=s", state: "s", from: naming)
        }
    }

    @Test("C37 says what the provider refused, escaped and cut")
    func refusal() throws {
        let text = "%1B%5B31m" + String(repeating: "x", count: 5000)
        let document = try provider.document()
        let error = #expect(throws: OIDCError.self) {
            try AuthorizationResponse(query: "error=access_denied&error_description=\(text)&state=s", state: "s", from: document)
        }
        let sentence = try #require(error).description
        #expect(
            sentence.contains("access_denied") && sentence.contains("\\u{1b}[31m") && !sentence.contains("\u{1B}") && sentence.count < 500)
    }
}
