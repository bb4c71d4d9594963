import LibCrypto
import Vocabulary

/// Device authorizations that wait for a person (RFC 8628).
struct DeviceGrants: Sendable {
    struct Grant: Sendable {
        let userCode: Text
        let client: Text
        let scope: Text
        let nonce: Text?
        let expires: UnixTime
        /// Seconds; grows by five each time the device is told to slow down (section 3.5).
        var interval: Int64
        var lastPoll: UnixTime?
        var state = State.pending
    }

    enum State: Sendable, Equatable {
        case pending
        case decided(LoginDecision)
    }

    private var grants: [Text: Grant] = [:]

    mutating func open(client: Text, scope: Text, nonce: Text?, behaviour: Behaviour, now: UnixTime) -> (deviceCode: Text, Grant) {
        grants = grants.filter { now < $0.value.expires + 600 }
        let deviceCode = Grants.secret()
        let grant = Grant(
            userCode: newUserCode(), client: client, scope: scope, nonce: nonce, expires: now + behaviour.deviceLifetime,
            interval: behaviour.deviceInterval)
        grants[deviceCode] = grant
        return (deviceCode, grant)
    }

    /// The grant that a person's input names, if it still waits.
    func pending(userCode: Text, now: UnixTime) -> Grant? {
        guard let wanted = DeviceGrants.normalized(userCode) else { return nil }
        return grants.values.first { $0.userCode == wanted && $0.state == .pending && now < $0.expires }
    }

    /// False where no such grant waits.
    mutating func decide(userCode: Text, _ decision: LoginDecision, now: UnixTime) -> Bool {
        guard let found = pending(userCode: userCode, now: now),
            let deviceCode = grants.first(where: { $0.value.userCode == found.userCode })?.key
        else { return false }
        grants[deviceCode]?.state = .decided(decision)
        return true
    }

    /// One poll (RFC 8628 section 3.4): the grant and the person who approved it, once; else the error of section 3.5.
    mutating func poll(deviceCode: Text, client: Text, now: UnixTime) throws(ProtocolError) -> (Grant, person: Text) {
        guard var grant = grants[deviceCode], grant.client == client else {
            throw ProtocolError(.invalidGrant, "this device code is not known")
        }
        guard now < grant.expires else { throw ProtocolError(.expiredToken, "the device code has expired") }
        let tooFast = grant.lastPoll.map { now < $0 + grant.interval } ?? false
        grant.lastPoll = now
        if tooFast { grant.interval += 5 }
        grants[deviceCode] = grant
        guard !tooFast else { throw ProtocolError(.slowDown, "wait \(grant.interval) seconds between polls") }
        switch grant.state {
        case .pending: throw ProtocolError(.authorizationPending, "nobody has approved this yet")
        case .decided(.refuse):
            grants[deviceCode] = nil
            throw ProtocolError(.accessDenied, "the person refused")
        case .decided(.person(let person)):
            grants[deviceCode] = nil
            return (grant, person)
        }
    }

    /// Section 6.1: eight consonants, so that no word comes out.
    private static let letters = Array("BCDFGHJKLMNPQRSTVWXZ".utf8)

    private func newUserCode() -> Text {
        var code: [UInt8] = []
        while code.count < 8 {
            for byte in randomBytes(16) where byte < 240 && code.count < 8 { code.append(DeviceGrants.letters[Int(byte) % 20]) }
        }
        return DeviceGrants.spelled(code)
    }

    /// What a person types, in any case and with or without separators, as `BCDF-GHJK`; nil where it is no code.
    static func normalized(_ typed: Text) -> Text? {
        let code = typed.utf8.map { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) ? $0 - 32 : $0 }.filter(letters.contains)
        return code.count == 8 ? spelled(code) : nil
    }

    private static func spelled(_ code: [UInt8]) -> Text {
        Text(String(decoding: code.prefix(4) + [UInt8(ascii: "-")] + code.suffix(4), as: UTF8.self))
    }
}
