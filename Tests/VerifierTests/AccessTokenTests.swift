import Foundation
import JOSE
import MintingKit
import SSHKeys
import TestSupport
import Testing
import Vocabulary

@testable import Verifier

/// With an access token opk-verify reads `auth_id` twice: first the rows that the ID token's person is named by, and where those do not admit, the ones
/// that userinfo names. It must come to the same as if every row had been held against both.
@Suite("Rows that only userinfo names") struct AccessTokenTests {
    private static let issuer = "https://issuer.example.com"
    private static let identities = [
        "alice-1", "bob-2", "alice@example.com", "ALICE@example.com", "ui@example.com", "UI@example.com", "eve@example.com",
        "oidc:groups:dev",
        "oidc:groups:ops", "oidc:groups:ui", "oidc-match-end:email:@example.com", "oidc-match-end:email:@ui.example", "repo:a/b",
        "'alice-1'",
    ]
    private static let options = [
        "", "", "", "restrict", "expires=\"2020-01-01T00:00Z\"", "break-glass", "break-glass,pty", "from=\"10.0.0.0/8\"", "amr=\"hwk\"",
        "claim=\"dept:a@b\"", "hours=\"00:00-24:00\"", "nonsense", "command=\"/bin/mail a@b\"",
    ]
    private static let configs = [
        "", "", "require: [{accounts: ['*'], groups: [ui]}]\n", "require: [{accounts: ['*'], amr: [hwk], except_break_glass: true}]\n",
        "require: [{accounts: ['*'], from: [192.0.2.0/24], except_break_glass: true}]\n",
        "require: [{accounts: ['*'], from: [192.0.2.0/24], except_groups: [ui]}]\n",
        "require: [{accounts: ['*'], verified_email: true}, {accounts: [guest], hours: '00:00-24:00'}]\n",
    ]
    private static let answers: [String?] = [
        nil, "{\"sub\":\"alice-1\"}", "{\"sub\":\"bob-2\",\"groups\":[\"ui\"]}", "{\"sub\":\"alice-1\",\"groups\":[\"ui\",\"ops\"]}",
        "{\"sub\":\"alice-1\",\"email\":\"ui@example.com\",\"email_verified\":true}",
        "{\"sub\":\"alice-1\",\"email\":\"x@ui.example\",\"dept\":\"a@b\"}",
    ]

    @Test("come to the same, however auth_id is read", arguments: 0..<6)
    func agrees(group: UInt64) throws {
        var random = Seeded(state: group &* 0x9E37_79B9 &+ 1)
        let path = NSTemporaryDirectory() + "/opk-rows-" + UUID().uuidString + "/auth_id"
        let folder = (path as NSString).deletingLastPathComponent
        mkdir(folder, 0o755)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var (admitted, byUserinfo) = (0, 0)
        for claims in 0..<4 {
            let login = try MintedLogin().with {
                if claims & 1 != 0 { $0.claims["email"] = nil }
                if claims & 2 != 0 { $0.claims["groups"] = ["dev"] }
                $0.rewriteCertificate = { $0.extensions.insert(.init("openpubkey-act", value: Array("act-secret".utf8)), at: 0) }
            }
            for _ in 0..<40 {
                let count = Int.random(in: 0...5, using: &random)
                let rows = (0..<count).map { _ in
                    let account = ["guest", "guest", "guest", "root", "*"].randomElement(using: &random) ?? ""
                    let identity = Self.identities.randomElement(using: &random) ?? ""
                    let options = Self.options.randomElement(using: &random) ?? ""
                    return "\(account) \(identity) \(Self.issuer) \(options)\n"
                }.joined()
                try rows.write(toFile: path, atomically: false, encoding: .utf8)
                chmod(path, 0o640)
                let config = Self.configs.randomElement(using: &random) ?? ""
                let userinfo = Self.answers.randomElement(using: &random) ?? nil
                func answer(_ path: String?) throws -> Answer {
                    try Answer(login) {
                        ($0.authIDText, $0.configText, $0.userinfoAnswer, $0.authIDPath) = (rows, config, userinfo, path)
                    }
                }
                let (whole, named) = (try answer(nil), try answer(path))
                #expect(whole.lines == named.lines, "\(rows)\(config)\(userinfo ?? "-"): \(whole.asked) \(named.asked)")
                if whole.lines != nil { admitted += 1 }
                if whole.lines != nil && whole.asked.contains("userinfo") { byUserinfo += 1 }
            }
        }
        #expect(admitted > 10 && byUserinfo > 2, "\(admitted) \(byUserinfo)")
    }

    @Test("are found by the second reading; others are passed over by both")
    func few() throws {
        let path = NSTemporaryDirectory() + "/opk-rows-" + UUID().uuidString + "/auth_id"
        let folder = (path as NSString).deletingLastPathComponent
        mkdir(folder, 0o755)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var text = (0..<2000).map { "guest user\($0)@example.com \(Self.issuer) hours=\"00:00-24:00\"\n" }.joined()
        text += "guest ui@example.com \(Self.issuer) restrict\n"
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        chmod(path, 0o640)
        let login = try MintedLogin().with {
            $0.rewriteCertificate = { $0.extensions.insert(.init("openpubkey-act", value: Array("act-secret".utf8)), at: 0) }
        }
        let type = try SSHCertificate(parsing: try login.certificate()).type
        var sources = TestSources(login)
        sources.authIDPath = path
        sources.userinfoAnswer = #"{"sub":"alice-1","email":"ui@example.com","email_verified":true}"#
        let request = LoginRequest(
            account: Array("guest".utf8), key: Array(Base64.encode(try login.certificate()).utf8), type: Array(type.utf8))
        var verification = Verification(sources, at: MintedLogin.now)
        guard case .admitted(let lines) = verification.decide(request) else {
            Issue.record("refused")
            return
        }
        #expect(lines.count == 1 && lines[0].description.contains(",restrict "))
        #expect(verification.deliberation?.rows.count == 1, "the other 2000 were never kept")
        #expect(sources.log.asked.filter { $0 == "authID" }.count == 2 && sources.log.asked.filter { $0 == "userinfo" }.count == 1)
    }
}
