import AuditReading
import AuditTrail
import JOSE
import Policy
import Vocabulary

/// What somebody is told: one event of the log, and a sentence about it.
struct Notice: Hashable, Sendable {
    let event: NotifyRule.Event
    /// Whom or what it is about: the same is told once an hour, where anybody could bring it about again and again.
    let subject: String
    let sentence: String
    let id: String
    /// The event's line.
    let line: [UInt8]

    /// Nil where nobody wants to be told of such an event.
    init?(_ record: AuditRecord) {
        id = record.text(.id) ?? ""
        line = record.line
        switch record.kind {
        case .login where record.flag(.breakGlass) == true:
            event = .breakGlass
            subject = id
            sentence = "break-glass: \(Notice.person(record)) logged in to \(Notice.account(record))\(Notice.reason(record))"
        // A decision proves no key; that somebody who is out shows a certificate of theirs is worth a word all the same.
        case .decision where record.flag(.granted) == false && record.text(.reason) == "revoked" && record.flag(.verified) == true:
            event = .revoked
            subject = "\(record.text(.issuer) ?? "") \(record.text(.subject) ?? "") \(record.text(.account) ?? "")"
            sentence = "revoked: \(Notice.person(record)) tried to log in to \(Notice.account(record)) and was refused"
        case .policyChanged:
            event = .policyChanged
            subject = id
            let file = record.object(.change)?.text(.file) ?? record.text(.file) ?? "a file of /etc/opk"
            let who = record.object(.actor).flatMap { $0.text(.name) ?? $0.text(.account) }
            sentence =
                "policy changed: \(Notice.plain(file)) on \(Notice.plain(record.text(.host) ?? "this server"))"
                + (who.map { ", by \(Notice.plain($0))" } ?? ", not by a command of opk")
        case .damaged:
            event = .auditLog
            let kind = record.object(.change)?.text(.action).flatMap(LogDamage.Kind.init)
            subject = LogDamage.subject(kind)
            sentence =
                "audit log: \(Notice.plain(record.object(.change)?.text(.file) ?? "the log")) on \(Notice.plain(record.text(.host) ?? "this server")): "
                + LogDamage.sentence(kind)
        default: return nil
        }
    }

    /// What goes to a command's standard input or a webhook: `text` is what chat services show.
    var message: [UInt8] {
        let event: JSON = (try? JSON(parsing: line)) ?? .null
        let message: JSON = ["text": .string(Text(sentence)), "notification": .string(Text(self.event.rawValue)), "event": event]
        return message.serialized + [0x0A]
    }

    private static func person(_ record: AuditRecord) -> String {
        if let email = record.text(.email) { return plain(email) }
        guard let subject = record.text(.subject) else { return "somebody" }
        return "\(plain(subject)) of \(plain(record.text(.issuer) ?? "an unknown issuer"))"
    }

    private static func account(_ record: AuditRecord) -> String {
        let from = record.text(.sourceAddress).map { " from \(plain($0))" } ?? ""
        return "\(plain(record.text(.account) ?? "an account")) on \(plain(record.text(.host) ?? "this server"))\(from)"
    }

    private static func reason(_ record: AuditRecord) -> String {
        record.text(.grantReason).map { " (\(plain($0)))" } ?? ""
    }

    /// One line without what a chat service takes for markup (`[text](address)`), for somebody or everybody to wake (`<!channel>`, `@here`) or for an address to go to
    /// (`https://…`). An email address stays one: its `@` stands behind a letter or a figure, and before none of the words that wake many.
    static func plain(_ text: String) -> String {
        var kept = String.UnicodeScalarView()
        let scalars = Array(text.unicodeScalars.prefix(longest))
        for (index, scalar) in scalars.enumerated() {
            switch scalar {
            case "<", ">", "&", "*", "`", "~", "|", "[", "]", "(", ")": kept.append("?")
            case "@" where !isOfAddress(scalars, index): kept.append("?")
            // No address to go to: `https: //…`.
            case "/" where index > 0 && scalars[index - 1] == ":": kept += " /".unicodeScalars
            default: kept.append(scalar)
            }
        }
        return Text(String(kept)).escaped(limit: 128)
    }

    /// Characters that are looked at: `escaped` cuts what it is given.
    private static let longest = 256

    private static func isOfAddress(_ scalars: [Unicode.Scalar], _ at: Int) -> Bool {
        guard at > 0, scalars[at - 1].properties.isAlphabetic || "0123456789._+-'=".unicodeScalars.contains(scalars[at - 1]) else {
            return false
        }
        let rest = String(String.UnicodeScalarView(scalars[(at + 1)...].prefix(9))).lowercased()
        if rest.hasPrefix("everyone") || rest.hasPrefix("here") { return false }
        // Whole words: of allianz.example there may be somebody.
        let word = rest.prefix { $0.isLetter || $0.isNumber }
        return !["channel", "all", "group"].contains(word)
    }
}
