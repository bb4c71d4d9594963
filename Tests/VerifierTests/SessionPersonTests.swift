import MintingKit
import Testing
import Vocabulary

@testable import Verifier

@Suite("What a session is told") struct SessionPersonTests {
    private func lines(_ config: String, options: String = "", provider: String = "", _ change: (inout MintedLogin) -> Void = { _ in })
        throws -> [String]
    {
        var login = try MintedLogin()
        change(&login)
        var sources = TestSources(login)
        sources.configText = config
        sources.providersText = "https://issuer.example.com test-client 24h \(provider)\n"
        sources.authIDText = "guest alice-1 https://issuer.example.com \(options)\n"
        let certificate = try login.certificate()
        let request = LoginRequest(
            account: Array("guest".utf8), key: Array(Base64.encode(certificate).utf8), type: Array("ssh-ed25519-cert-v01@openssh.com".utf8))
        var verification = Verification(sources, at: login.now)
        guard case .admitted(let lines) = verification.decide(request) else { return [] }
        return lines.map(\.description)
    }

    @Test("only with session_identity, and before what the row sets, since of a variable that is set twice sshd takes the first")
    func line() throws {
        let options = "environment=\"SSH_OPK_IDENTITY=root\""
        let without = try lines("", options: options)
        #expect(
            without.count == 1
                && without[0].hasPrefix("cert-authority,principals=\"opkssh-wildcard\",environment=\"SSH_OPK_IDENTITY=root\" "))
        #expect(try lines("session_identity: false\n", options: options) == without)
        let with = try lines("session_identity: true\n", options: options)
        let start =
            "cert-authority,principals=\"opkssh-wildcard\",environment=\"SSH_OPK_IDENTITY=alice@example.com\",environment=\"SSH_OPK_IDENTITY=root\" "
        #expect(with.count == 1 && with[0].hasPrefix(start), "\(with)")
    }

    @Test("an email that may not decide is not told: then it is the subject and its issuer")
    func subject() throws {
        let told = ",environment=\"SSH_OPK_IDENTITY=alice-1@https://issuer.example.com\" "
        #expect(try lines("session_identity: true\n") { $0.claims["email_verified"] = false }.first?.contains(told) == true)
        #expect(try lines("session_identity: true\n") { $0.claims["email"] = nil }.first?.contains(told) == true)
    }

    @Test("nothing that a provider says can end the quote, or mean something to a shell")
    func encoded() {
        for (name, told) in [
            ("a\"b\\c", "a%22b%5Cc"), ("a,b c\n$(x)`", "a%2Cb%20c%0A%24%28x%29%60"), ("é@x", "%C3%A9@x"), ("50%", "50%25"),
            ("a'=b#", "a%27%3Db%23"),
        ] {
            #expect(SessionPerson(Text(name)).description == told)
        }
        let long = SessionPerson(Text(String(repeating: "é", count: 400))).description
        #expect(long.utf8.count <= SessionPerson.longest + 3 && long.hasSuffix("%A9...") || long.hasSuffix("%C3..."))
    }
}
