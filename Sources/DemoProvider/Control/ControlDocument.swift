import JOSE
import Vocabulary

/// What POST /control takes: a JSON object, each member a change; those not named stay as they are.
///
/// | member | value |
/// |---|---|
/// | `reset` | `true`: everything as at the start of the program, but for the keys |
/// | `key_type` | `RS256`, `PS256`, `ES256` or `EdDSA`: a new key of that type; the ones before are gone, unless `rotate` is `"keep"` |
/// | `rotate` | `true`: a new key, the ones before gone at once; `"keep"`: a new key, the ones before still published |
/// | `auto_login` | a person, `"refuse"`, or null for the login page |
/// | `claims` | `{PERSON: {CLAIM: VALUE}}`; null takes a claim away |
/// | `userinfo_only` | names of claims that ID tokens leave out |
/// | `token_lifetime`, `issued_at_offset` | seconds |
/// | `signature` | `good`, `bad`, `empty` or `other-key` |
/// | `refreshed_id_token`, `refresh_token`, `device_nonce` | `true` or `false` |
/// | `device_interval`, `device_lifetime` | seconds |
/// | `override` | `{DOCUMENT: {MEMBER: VALUE}}` (see `Behaviour.Document`); null takes a member away, null for the document ends it |
/// | `faults` | `{ENDPOINT: FAULT}` (see `Fault`); `"none"` or null ends it |
struct ControlDocument {
    /// Why a document was refused, for a person; what was sent is escaped in it.
    struct Problem: Error {
        let text: String
    }

    struct Rotation: Sendable {
        let algorithm: SigningAlgorithm?
        let keeping: Bool
    }

    private let object: JSONObject

    init(parsing bytes: [UInt8]) throws(Problem) {
        guard let json = try? JSON(parsing: bytes), let object = json.object else {
            throw Problem(text: "the control document is not a JSON object")
        }
        self.object = object
    }

    /// The changed behaviour, and whether the keys change, too. All of the document or nothing.
    func applied(to old: Behaviour, atStart: Behaviour) throws(Problem) -> (Behaviour, Rotation?) {
        var new = try reset() ? atStart : old
        for member in object.members {
            try apply(member.name, member.value, to: &new)
        }
        return (new, try rotation())
    }

    private func reset() throws(Problem) -> Bool {
        guard let value = object["reset"] else { return false }
        return try flag("reset", value)
    }

    private func rotation() throws(Problem) -> Rotation? {
        var algorithm: SigningAlgorithm?
        if let value = object["key_type"] {
            guard let known = value.string.flatMap({ SigningAlgorithm(rawValue: $0.string) }) else { throw problem("key_type", value) }
            algorithm = known
        }
        switch object["rotate"] {
        case .string("keep")?: return Rotation(algorithm: algorithm, keeping: true)
        case .bool(true)?: return Rotation(algorithm: algorithm, keeping: false)
        case nil, .bool(false)?: return algorithm.map { Rotation(algorithm: $0, keeping: false) }
        case let value?: throw problem("rotate", value)
        }
    }

    private func apply(_ name: Text, _ value: JSON, to behaviour: inout Behaviour) throws(Problem) {
        switch name {
        case "reset", "rotate", "key_type": break
        case "auto_login": behaviour.autoLogin = try decision(value)
        case "claims": try changeClaims(value, of: &behaviour)
        case "userinfo_only": behaviour.userinfoOnly = try names(name, value)
        case "token_lifetime": behaviour.tokenLifetime = try seconds(name, value)
        case "issued_at_offset": behaviour.issuedAtOffset = try seconds(name, value)
        case "signature":
            guard let quality = value.string.flatMap({ Behaviour.SignatureQuality(rawValue: $0.string) }) else {
                throw problem(name, value)
            }
            behaviour.signature = quality
        case "refreshed_id_token": behaviour.refreshesIDToken = try flag(name, value)
        case "refresh_token": behaviour.givesRefreshToken = try flag(name, value)
        case "device_nonce": behaviour.deviceNonce = try flag(name, value)
        case "device_interval": behaviour.deviceInterval = try seconds(name, value)
        case "device_lifetime": behaviour.deviceLifetime = try seconds(name, value)
        case "override": try override(value, in: &behaviour)
        case "faults": try setFaults(value, of: &behaviour)
        default: throw Problem(text: "there is nothing called \"\(name.escaped(limit: 40))\" to control")
        }
    }

    private func changeClaims(_ value: JSON, of behaviour: inout Behaviour) throws(Problem) {
        guard let people = value.object else { throw problem("claims", value) }
        for person in people.members {
            guard Person.named(person.name) != nil, let changes = person.value.object else { throw problem("claims", value) }
            behaviour.changeClaims(of: person.name, changes)
        }
    }

    private func override(_ value: JSON, in behaviour: inout Behaviour) throws(Problem) {
        guard let documents = value.object else { throw problem("override", value) }
        for member in documents.members {
            guard let document = Behaviour.Document(rawValue: member.name.string) else { throw problem("override", value) }
            if member.value == .null {
                behaviour.overrides[document] = nil
            } else if let changes = member.value.object {
                behaviour.overrides[document] = changes
            } else {
                throw problem("override", value)
            }
        }
    }

    private func setFaults(_ value: JSON, of behaviour: inout Behaviour) throws(Problem) {
        guard let endpoints = value.object else { throw problem("faults", value) }
        for member in endpoints.members {
            guard let endpoint = FaultyEndpoint(rawValue: member.name.string) else { throw problem("faults", value) }
            if member.value == .null || member.value == .string("none") {
                behaviour.faults[endpoint] = nil
            } else if let fault = Fault(member.value) {
                behaviour.faults[endpoint] = fault
            } else {
                throw problem("faults", value)
            }
        }
    }

    private func decision(_ value: JSON) throws(Problem) -> LoginDecision? {
        if value == .null { return nil }
        guard let decision = value.string.flatMap({ LoginDecision($0) }) else { throw problem("auto_login", value) }
        return decision
    }

    private func names(_ name: Text, _ value: JSON) throws(Problem) -> [Text] {
        guard let array = value.array, array.allSatisfy({ $0.string != nil }) else { throw problem(name, value) }
        return array.compactMap(\.string)
    }

    private func flag(_ name: Text, _ value: JSON) throws(Problem) -> Bool {
        guard let flag = value.bool else { throw problem(name, value) }
        return flag
    }

    private func seconds(_ name: Text, _ value: JSON) throws(Problem) -> Int64 {
        guard let seconds = value.number?.integer, seconds.magnitude < 1 << 40 else { throw problem(name, value) }
        return seconds
    }

    private func problem(_ name: Text, _ value: JSON) -> Problem {
        Problem(text: "\(name) cannot be \(escaped(value.serialized, limit: 80))")
    }
}
