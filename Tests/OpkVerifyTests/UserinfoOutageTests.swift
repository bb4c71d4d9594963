import Foundation
import KeyCache
import MintingKit
import Testing
import Vocabulary

/// The provider's userinfo is what fails.
@Suite("opk-verify: userinfo fails", .serialized)
struct UserinfoOutageTests {
    @Test("V69 Whatever userinfo answers: whoever is admitted without it is, others are refused in time, and the line says why")
    func table() async throws {
        try await atOnce(ProviderFault.all) { fault in
            let doorway = try Doorway()
            try doorway.writeRow()
            let login = try doorway.login().with {
                $0.rewriteCertificate = { $0.extensions.insert(.init("openpubkey-act", value: Array("access-token-1".utf8)), at: 0) }
            }
            try doorway.keep(login.keys)
            let record = doorway.record
            try doorway.write(
                "auth_id", "guest oidc:groups:admins \(doorway.issuer.string)\nalice alice@example.com \(doorway.issuer.string)\n")
            doorway.provider.play(fault.script(doorway, Doorway.keySet(login.keys)))
            let (run, seconds) = try doorway.timed(login)
            #expect(run.refused(1, "step=9 reason=no-row-admits ", "userinfo") && seconds < 10, "\(fault): \(run)")
            #expect(doorway.asked.first == "/userinfo" && doorway.record == record, "\(fault)")
            let count = doorway.asked.count
            #expect(try doorway.ask(login, as: "alice").admitted && doorway.asked.count == count, "\(fault)")
            doorway.serve(login.keys, userinfo: "{\"sub\":\"alice-1\",\"groups\":[\"admins\"]}")
            #expect(try doorway.ask(login).admitted, "\(fault)")
        }
    }
}
