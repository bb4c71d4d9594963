import AuditTrail
import JOSE
import Vocabulary

/// Builds objects of which members that are not known are absent.
struct EventMembers {
    private var object = JSONObject()

    /// A literal is a text or a number.
    @_disfavoredOverload
    mutating func set(_ name: Text, _ value: JSON?) { if let value { object[name] = value } }
    mutating func set(_ name: Text, _ text: String?) { if let text { object[name] = .string(Text(text)) } }
    mutating func set(_ name: Text, _ number: Int64?) { if let number { object[name] = .number(JSONNumber(number)) } }

    /// Nil where there is no member.
    var json: JSON? { object.members.isEmpty ? nil : .object(object) }
    /// Empty where there is no member.
    var all: JSON { .object(object) }
}

extension JSON {
    /// Nil for an empty list.
    static func texts(_ texts: [String]) -> JSON? { texts.isEmpty ? nil : .array(texts.map { .string(Text($0)) }) }
}

extension AuditRecord {
    /// The identity, where the provider's signature held; else what a token says of itself is nobody's name.
    var isVerified: Bool { flag(.verified) == true }

    /// An address, or the name of a host that PAM had in its place.
    var source: (address: String?, name: String?) {
        guard let text = text(.sourceAddress) else { return (nil, nil) }
        return NetworkAddress(Text(text)) == nil ? (nil, text) : (text, nil)
    }

    /// Whether more than one factor was used, by RFC 8176; nil where `amr` is not known.
    var isMultiFactor: Bool? {
        guard has(.amr) else { return nil }
        let methods = Set(texts(.amr))
        if methods.contains("mfa") { return true }
        let factors: [Set<String>] = [
            ["pwd", "pin", "kba"], ["otp", "hwk", "swk", "sms", "tel", "sc", "pop"], ["fpt", "face", "iris", "retina", "vbm"],
        ]
        return factors.filter { !$0.isDisjoint(with: methods) }.count > 1
    }

    /// What has no member of its own in a mapped event, under our own names.
    func others(_ fields: [AuditField]) -> JSON? {
        guard let whole = try? JSONObject(parsing: line) else { return nil }
        var members = EventMembers()
        for field in fields { members.set(Text(field.rawValue), whole[Text(field.rawValue)]) }
        return members.json
    }

    /// One sentence, for an event that is read in another system.
    var sentence: String {
        let entry = LogLine(LogEntry(self))
        return [entry.outcome.rawValue, entry.subject, entry.source, entry.words].filter { !$0.isEmpty }.joined(separator: " ")
    }
}
