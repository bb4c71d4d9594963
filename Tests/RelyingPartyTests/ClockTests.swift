import JOSE
import LibCrypto
import PKToken
import Testing
import Vocabulary

@testable import Login

@Suite("Adversaries: clocks")
struct ClockTests {
    private func refusal(iat: Int64 = 0, exp: Int64 = 3600, nbf: Int64? = nil) throws -> Refusal.Code? {
        let provider = try TestProvider()
        let now = provider.now.seconds
        var changes: [Text: JSON?] = ["iat": .number(JSONNumber(now + iat)), "exp": .number(JSONNumber(now + exp))]
        if let nbf { changes["nbf"] = .number(JSONNumber(now + nbf)) }
        do {
            _ = try provider.mint(try provider.maker(), changes)
            return nil
        } catch let error as LoginError {
            guard case .identity(let refusal, _) = error else { throw error }
            return refusal.code
        }
    }

    @Test("C40: clocks may differ by a minute, and by no more")
    func skew() throws {
        for seconds in [-60, -1, 0, 1, 60] as [Int64] { #expect(try refusal(iat: seconds, nbf: seconds) == nil, "\(seconds)") }
        #expect(try refusal(iat: 61) == .issuedInFuture)
        #expect(try refusal(iat: 600) == .issuedInFuture)
        #expect(try refusal(nbf: 61) == .notYetValid)
        #expect(try refusal(exp: -59) == nil)
        #expect(try refusal(exp: -60) == .expired)
        #expect(try refusal(iat: -600, exp: -300) == .expired)
    }

    /// After 2^31, after 2^32, in the last year that has four digits.
    @Test(
        "C40: a login in 2039, in 2107 and in 9998 is as good as one of today", arguments: [2_177_452_800, 4_323_110_400, 253_339_228_800])
    func later(now: Int64) throws {
        let provider = try TestProvider(now: UnixTime(seconds: now))
        let result = try provider.mint(try provider.maker())
        #expect(result.ends == UnixTime(seconds: now + 86_400))
        #expect(result.key.certificate.validBefore == UInt64(now + 86_400))
    }

    @Test("C40: a time that no clock shows is no time", arguments: ["exp", "iat"])
    func senseless(name: String) throws {
        for value in [
            JSON.number(JSONNumber(253_402_300_800)), .number(JSONNumber(.max)), .number(JSONNumber(.min)), .number(JSONNumber(-1)),
            "2039-01-01",
            [], .bool(true),
        ] {
            let provider = try TestProvider()
            let error = #expect(throws: LoginError.self) { try provider.mint(try provider.maker(), [Text(name): value]) }
            guard case .identity(let refusal, _)? = error, refusal.code == .timeClaim else { Issue.record("\(value)"); return }
        }
    }
}
