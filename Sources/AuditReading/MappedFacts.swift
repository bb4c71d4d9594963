import AuditTrail
import Vocabulary

// What both mappings make of a record.

extension AuditRecord {
    /// The identity, where the provider's signature held; else what a token says of itself is nobody's name.
    var isVerified: Bool { flag(.verified) == true }

    /// Whether what the event is about was not done: a refusal, a message that nobody got, events that were lost.
    var isFailure: Bool {
        switch kind {
        case .decision: flag(.granted) != true
        case .notified: text(.kind) != "delivered"
        case .gap, .damaged: true
        default: false
        }
    }

    /// An address without the zone that only this machine knows (`fe80::1%eth0`), or the name of a host that PAM had in its place.
    var source: (address: String?, name: String?) {
        guard let text = text(.sourceAddress), !text.isEmpty else { return (nil, nil) }
        guard NetworkAddress(Text(text)) != nil else { return (nil, text) }
        return (text.utf8.contains(UInt8(ascii: "%")) ? String(text.prefix { $0 != "%" }) : text, nil)
    }

    var hasZone: Bool { written(.sourceAddress)?.contains(UInt8(ascii: "%")) == true }

    /// Nil for what is no port, whoever wrote it.
    var sourcePort: Int64? { number(.sourcePort).flatMap { 0...65_535 ~= $0 ? $0 : nil } }

    /// Whether more than one factor was used, by RFC 8176; nil where `amr` is not known.
    var isMultiFactor: Bool? {
        guard has(.amr) else { return nil }
        let methods = texts(.amr)
        if methods.contains("mfa") { return true }
        return AuditRecord.factors.filter { factor in methods.contains { factor.contains($0) } }.count > 1
    }

    private static let factors: [[String]] = [
        ["pwd", "pin", "kba"], ["otp", "hwk", "swk", "sms", "tel", "sc", "pop"], ["fpt", "face", "iris", "retina", "vbm"],
    ]

    /// Where it is a terminal's name: sshd tells PAM the word `ssh` for every connection.
    var hasTerminal: Bool { text(.tty).map { $0 != "ssh" && !$0.isEmpty } ?? false }

    /// The wording of a refusal's reason.
    var reasonWording: String? { text(.reason).flatMap { Refusal.Code(rawValue: $0)?.wording } }

    /// One sentence, for an event that is read in another system; its times are in UTC.
    var sentence: String {
        let entry = LogLine(LogEntry(self), times: \.description)
        var words = entry.outcome.rawValue
        for part in [entry.subject, entry.source, entry.words] where !part.isEmpty { words += " " + part }
        return words
    }
}

extension AuditDetail {
    /// The person, else the account that the program had.
    var person: String? { text(.name) ?? text(.account) }
    /// As the event's file has it after the change; nil where there is none or nobody could look at it.
    var digest: String? {
        text(.digestAfter).flatMap {
            $0.utf8.count == 64 && $0.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) } ? $0 : nil
        }
    }
}

/// What is an email address and what is only a claim of that name.
enum EmailAddress {
    /// By OCSF's `email_t`: letters, digits and some others before the `@`, a domain with a dot behind it.
    static func isOCSF(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[0].allSatisfy(isLocal) else { return false }
        let labels = parts[1].split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        return labels.count == 2 && labels.allSatisfy { !$0.isEmpty && $0.allSatisfy { isAlphanumeric($0) || $0 == 0x2D || $0 == 0x2E } }
    }

    /// Something on both sides of an `@`.
    static func isLikely(_ text: String) -> Bool {
        guard let at = text.utf8.lastIndex(of: UInt8(ascii: "@")) else { return false }
        return at != text.utf8.startIndex && text.utf8.index(after: at) != text.utf8.endIndex
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }

    private static let others = Array("!#$%&'*+,-./=?^_`{|}~".utf8)
    private static func isLocal(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || others.contains(byte) }
}
