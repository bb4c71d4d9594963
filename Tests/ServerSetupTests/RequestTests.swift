import Testing

@testable import ServerSetup

@Suite("What is asked for")
struct RequestTests {
    @Test("a provider is a row of the file, or an alias of opk login")
    func providers() throws {
        let full = try ProviderRequest("https://idp.example.com,opk,8h")
        #expect(full.row == "https://idp.example.com opk 8h" && full.issuer == "https://idp.example.com" && full.clientID == "opk")
        #expect(try ProviderRequest("https://idp.example.com,opk").row == "https://idp.example.com opk 24h")
        #expect(try ProviderRequest("google").issuer == "https://accounts.google.com")
        #expect(try ProviderRequest("https://idp.example.com,my client").row == "https://idp.example.com 'my client' 24h")
        for wrong in [
            "", "nobody", "https://idp.example.com", "https://idp.example.com,", "http://idp.example.com,opk",
            "https://idp.example.com,opk,soon",
            "https://idp.example.com,opk,8h,secret", "https://idp.example.com,a\nb", ",opk",
        ] {
            #expect(throws: ServerSetupError.self, "\(wrong)") { try ProviderRequest(wrong) }
        }
    }

    @Test("somebody who is allowed has one address, and an account")
    func allowed() throws {
        let plain = try AllowRequest("alice@example.com=root")
        #expect(plain.email == "alice@example.com" && plain.account == "root" && plain.issuer == nil)
        let odd = try AllowRequest("a=b@example.com=deploy,https://idp.example.com/?a=b")
        #expect(odd.email == "a=b@example.com" && odd.account == "deploy" && odd.issuer == "https://idp.example.com/?a=b")
        #expect(try AllowRequest("alice@example.com=root,google").issuer == "https://accounts.google.com")
        for wrong in [
            "", "alice=root", "alice@example.com", "alice@example.com=", "@example.com=root", "alice@=root", "a@b@c=root",
            "a@b=root,nobody",
        ] {
            #expect(throws: ServerSetupError.self, "\(wrong)") { try AllowRequest(wrong) }
        }
    }
}
