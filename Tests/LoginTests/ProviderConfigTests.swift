import Testing
import Vocabulary

@testable import Login

@Suite("ProviderConfig: whom to ask")
struct ProviderConfigTests {
    @Test("--provider takes an issuer and a client id, and optionally a secret and scopes")
    func argument() throws {
        let two = try ProviderConfig(argument: "https://idp.example.com,opk")
        #expect(two.issuer == "https://idp.example.com")
        #expect(two.clientID == "opk")
        #expect(two.clientSecret == nil)
        #expect(two.scopes == ["openid", "email"])
        let four = try ProviderConfig(argument: "https://idp.example.com/,opk,s3cret,email groups")
        #expect(four.issuer == "https://idp.example.com/")
        #expect(four.clientSecret == Secret(Array("s3cret".utf8)))
        #expect(four.scopes == ["openid", "email", "groups"])
        #expect(try ProviderConfig(argument: "https://idp.example.com,opk,,openid profile").scopes == ["openid", "profile"])
    }

    @Test(
        "what is not such a list is a wrong call, and the message does not repeat the secret",
        arguments: [
            "", "https://idp.example.com", "https://idp.example.com,", ",opk", "a,b,c,d,e", "a,b,s3cret,\"",
        ])
    func badArgument(argument: String) throws {
        do {
            _ = try ProviderConfig(argument: argument)
            Issue.record("accepted")
        } catch {
            #expect(error.isUsage)
            #expect(!"\(error)\(error.hint ?? "")".contains("s3cret"))
        }
    }

    @Test("the aliases of opkssh's own configuration are known", arguments: ["google", "azure", "microsoft", "gitlab", "hello"])
    func aliases(alias: String) throws {
        let provider = try #require(try ClientConfigTests.config(nil).provider(aliased: Text(alias)))
        #expect(provider.scopes.contains("openid"))
        #expect(provider.redirectURIs.map(\.text) == [3000, 10001, 11110].map { "http://localhost:\($0)/login-callback" })
    }

    @Test("two providers or an unknown one is a wrong call that lists the aliases")
    func choice() throws {
        for (alias, argument) in [("nobody", nil), ("google", "https://a,b")] as [(String?, String?)] {
            do {
                _ = try ClientConfigTests.config(nil).choose(alias: alias, argument: argument)
                Issue.record("accepted")
            } catch let error as LoginError {
                #expect(error.isUsage)
                if argument == nil { #expect(error.hint?.contains("google, azure, microsoft, gitlab, hello") == true) }
            }
        }
    }

    @Test(
        "C18: a redirect URI is http on this machine, by one of its three names, with a port and a path",
        arguments: [
            "https://localhost:3000/x", "http://localhost/x", "http://0.0.0.0:3000/x", "http://localhost.evil.example:3000/x",
            "http://[::]:3000/x",
            "http://localhost:3000", "http://localhost:65536/x", "http://localhost:+1/x", "http://u@localhost:3000/x",
            "http://localhost:3000/x?y",
            "http://localhost:3000/x#y", "http://localhost:3000/x y", "http://LOCALHOST:3000/x", "http://127.0.0.2:3000/x", "",
        ])
    func badRedirectURI(text: String) {
        #expect(throws: LoginError.self) { _ = try RedirectURI(text) }
    }

    @Test(
        "a redirect URI is written as it was read",
        arguments: ["http://localhost:3000/login-callback", "http://127.0.0.1:1/", "http://[::1]:65535/a/b"])
    func redirectURI(text: String) throws {
        #expect(try RedirectURI(text).text == text)
    }
}
