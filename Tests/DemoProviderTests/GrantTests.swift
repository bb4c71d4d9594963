import JOSE
import Testing
import Vocabulary

@testable import DemoProvider

@Suite("Refresh, device grant, userinfo, revocation and logout")
struct GrantTests {
    @Test("a refresh gives a new ID token without nonce and a new refresh token; the old one then ends the session")
    func rotation() async throws {
        try await withProvider { party in
            let login = try await party.exchange(try await party.code())
            let first = try #require(login.json["refresh_token"]?.string).string
            let refreshed = try await party.refresh(first)
            #expect(refreshed.status == 200)
            let token = try RelyingParty.idToken(refreshed)
            #expect(try token.payload()["nonce"] == nil)
            #expect(try token.payload()["sub"] == "demo-alice")
            #expect(try await party.holds(token))
            let second = try #require(refreshed.json["refresh_token"]?.string).string
            #expect(second != first)
            #expect(try await party.refresh(first).json["error"] == "invalid_grant")
            #expect(try await party.refresh(second).json["error"] == "invalid_grant")
        }
    }

    @Test("as many providers do, a refresh can come without an ID token, or a login without a refresh token")
    func lessThanAll() async throws {
        try await withProvider(#"{"refreshed_id_token": false}"#) { party in
            let login = try await party.exchange(try await party.code())
            let refreshed = try await party.refresh(login.json["refresh_token"]?.string?.string ?? "")
            #expect(refreshed.status == 200)
            #expect(refreshed.json["id_token"] == nil)
            try await party.provider.control(#"{"refresh_token": false}"#)
            #expect(try await party.exchange(try await party.code()).json["refresh_token"] == nil)
        }
    }

    @Test("a device that polls too often is told to slow down, by five seconds more each time (RFC 8628 section 3.5)")
    func slowDown() async throws {
        try await withProvider { party in
            let form = try await party.beginDevice().form
            #expect(try await party.send("POST", "/token", form: form).json["error"] == "authorization_pending")
            for seconds in [10, 15] {
                let answer = try await party.send("POST", "/token", form: form)
                #expect(answer.json["error"] == "slow_down")
                #expect(answer.json["error_description"]?.string == Text("wait \(seconds) seconds between polls"))
            }
        }
    }

    @Test("a device waits, and gets its tokens once the person approved, once")
    func device() async throws {
        try await withProvider(#"{"device_interval": 0}"#) { party in
            let begun = try await party.beginDevice()
            #expect(try await party.send("POST", "/token", form: begun.form).json["error"] == "authorization_pending")
            let page = try await party.get("/device?user_code=" + begun.userCode.lowercased())
            #expect(page.text.contains(begun.userCode))
            let approval = try await party.send("POST", "/device", form: ["user_code": begun.userCode, "person": "alice"])
            #expect(approval.status == 200)
            let answer = try await party.send("POST", "/token", form: begun.form)
            #expect(answer.status == 200)
            let claims = try RelyingParty.idToken(answer).payload()
            #expect(claims["email"] == "alice@example.com")
            #expect(claims["nonce"] == nil)
            #expect(try await party.send("POST", "/token", form: begun.form).json["error"] == "invalid_grant")
        }
    }

    @Test("a device that the person refused gets access_denied; one that nobody looked at expires")
    func deviceRefused() async throws {
        try await withProvider(#"{"device_interval": 0}"#) { party in
            let refused = try await party.beginDevice()
            _ = try await party.send("POST", "/device", form: ["user_code": refused.userCode, "person": "refuse"])
            #expect(try await party.send("POST", "/token", form: refused.form).json["error"] == "access_denied")

            try await party.provider.control(#"{"device_nonce": true}"#)
            let approved = try await party.beginDevice()
            _ = try await party.send("POST", "/device", form: ["user_code": approved.userCode, "person": "bob"])
            let token = try RelyingParty.idToken(try await party.send("POST", "/token", form: approved.form))
            #expect(try token.payload()["nonce"] == "n-2")

            try await party.provider.control(#"{"device_lifetime": 0}"#)
            let late = try await party.beginDevice()
            #expect(try await party.send("POST", "/token", form: late.form).json["error"] == "expired_token")
            #expect(try await party.send("POST", "/device", form: ["user_code": late.userCode, "person": "bob"]).status == 400)
        }
    }

    @Test("userinfo answers the bearer of an access token, and nobody else")
    func userinfo() async throws {
        try await withProvider(#"{"userinfo_only": ["groups"], "claims": {"alice": {"groups": ["x"], "name": null, "dept": 7}}}"#) {
            party in
            let login = try await party.exchange(try await party.code())
            let claims = try RelyingParty.idToken(login).payload()
            #expect(claims["groups"] == nil)
            #expect(claims["name"] == nil)
            #expect(claims["dept"] == 7)
            let answer = try await party.get("/userinfo", bearer: login.json["access_token"]?.string?.string)
            #expect(answer.json["groups"] == ["x"])
            #expect(answer.json["sub"] == "demo-alice")
            #expect(try await party.get("/userinfo").status == 401)
            #expect(try await party.get("/userinfo", bearer: "nonsense").status == 401)
        }
    }

    @Test("a revoked refresh token is dead, and so is its session; any other token is answered alike")
    func revocation() async throws {
        try await withProvider { party in
            let login = try await party.exchange(try await party.code())
            let token = login.json["refresh_token"]?.string?.string ?? ""
            #expect(try await party.send("POST", "/revoke", form: ["client_id": "opk-demo", "token": token]).status == 200)
            #expect(try await party.refresh(token).json["error"] == "invalid_grant")
            #expect(try await party.get("/userinfo", bearer: login.json["access_token"]?.string?.string).status == 401)
            #expect(try await party.send("POST", "/revoke", form: ["client_id": "opk-demo", "token": "x"]).status == 200)
        }
    }

    @Test("logging out ends the person's sessions and goes back only to a registered place")
    func logout() async throws {
        try await withProvider { party in
            let login = try await party.exchange(try await party.code())
            let hint = login.json["id_token"]?.string?.string ?? ""
            let back = try await party.get("/end_session?id_token_hint=\(hint)&post_logout_redirect_uri=http://localhost:1/bye&state=z")
            #expect(back.location == "http://localhost:1/bye?state=z")
            #expect(try await party.refresh(login.json["refresh_token"]?.string?.string ?? "").json["error"] == "invalid_grant")
            let evil = try await party.get("/end_session?post_logout_redirect_uri=https://evil.example/")
            #expect(evil.status == 400)
            #expect(evil.location == nil)
        }
    }
}
