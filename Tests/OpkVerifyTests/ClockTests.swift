import Foundation
import JOSE
import KeyCache
import MintingKit
import Testing
import Vocabulary

/// Another time of day for one process and what it starts. It still goes on.
private enum Clock {
    static let canBeFaked: Bool = (try? Program.shell("exec faketime -f +1h true"))?.status == 0

    /// The shell becomes faketime, which names what it leaves behind by its process number: that may have been somebody else's.
    static func off(by span: String) -> String {
        "rm -f /dev/shm/sem.faketime_sem_$$ /dev/shm/faketime_shm_$$; set -- faketime -f \(span) \"$@\""
    }
}

/// The machine's clock jumps by an hour, one way or the other, and back.
@Suite("opk-verify: the clock jumps", .serialized, .enabled(if: Clock.canBeFaked, "no faketime"))
struct ClockTests {
    /// Two hours old, so that it was issued in the past by every clock here.
    private func login(_ doorway: Doorway, age: Int64 = 7200) throws -> MintedLogin {
        try doorway.login().with { $0.claims["iat"] = .number(JSONNumber(UnixTime.now().seconds - age)) }
    }

    @Test(
        "Keys fetched before the jump admit after it, with the provider up or down, and after the clock is right again",
        arguments: ["+1h", "-1h"])
    func before(_ jump: String) throws {
        for isUp in [true, false] {
            let doorway = try Doorway()
            try doorway.writeRow()
            let login = try login(doorway)
            if isUp { doorway.serve(login.keys) } else { doorway.provider.play { _, connection in connection.answer(500, "{}") } }
            try doorway.keep(login.keys)
            let run = try doorway.ask(login, surroundings: Clock.off(by: jump))
            #expect(run.admitted, "\(jump), provider up \(isUp): \(run)")
            // Either clock makes them due: an hour old, or from the future.
            #expect(doorway.eventually { doorway.asked.count == (isUp ? 2 : 1) }, "\(doorway.asked)")
            #expect(try doorway.ask(login, surroundings: Clock.off(by: jump)).admitted)
            #expect(try doorway.ask(login).admitted, "after the clock was set right")
        }
    }

    @Test(
        "Keys fetched while the clock was wrong admit when it is right again, and are renewed then, if they can be",
        arguments: ["+1h", "-1h"])
    func during(_ jump: String) throws {
        let doorway = try Doorway()
        let login = try login(doorway)
        doorway.serve(login.keys)
        #expect(try doorway.ask(login, surroundings: Clock.off(by: jump)).admitted && doorway.asked.count == 2)
        doorway.provider.play { _, connection in connection.answer(500, "{}") }
        #expect(try doorway.ask(login).admitted, "the provider is down by then")
        #expect(doorway.eventually { doorway.lastAttempt?.succeeded == false })
        #expect(try doorway.ask(login).admitted)
        doorway.serve(login.keys)
        try doorway.forgetFailure()
        #expect(try doorway.ask(login).admitted)
        #expect(doorway.eventually { doorway.cache.read(issuer: doorway.issuer)?.isFresh(at: .now()) == true })
    }

    @Test("A failure noted while the clock was wrong makes nobody wait an hour", arguments: ["+1h", "-1h"])
    func failureDuring(_ jump: String) throws {
        let doorway = try Doorway()
        let login = try login(doorway)
        #expect(try doorway.ask(login, surroundings: Clock.off(by: jump)).refused(1, "reason=keys-unavailable ", "404"))
        doorway.serve(login.keys)
        #expect(try doorway.ask(login).admitted)
    }

    @Test("With a clock that is slow by an hour a token from just now is from the future: the refusal shows both clocks")
    func tokenFromTheFuture() throws {
        let doorway = try Doorway()
        let login = try login(doorway, age: 60)
        try doorway.keep(login.keys)
        let run = try doorway.ask(login, surroundings: Clock.off(by: "-1h"))
        #expect(run.refused(1, "step=7 reason=issued-in-future ", "by the provider's clock", "by this machine's"), "\(run)")
        #expect(try doorway.ask(login, surroundings: Clock.off(by: "+1h")).admitted && doorway.ask(login).admitted)
    }
}
