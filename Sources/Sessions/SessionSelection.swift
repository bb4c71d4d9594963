internal import Vocabulary

/// Whom an administrator means: a session's id; `account:NAME`; an email address, but for the case of A to Z; a subject; or `sub:SUBJECT@ISSUER`.
public struct SessionSelection: Sendable {
    private let who: Text

    public init(_ who: String) { self.who = Text(who) }

    public func means(_ record: SessionRecord) -> Bool {
        if who.hasPrefix("account:") { return who == Text("account:" + record.account) }
        if who == Text(record.id) { return true }
        let identity = record.identity
        if let email = identity.email, email.equalsIgnoringASCIICase(who) { return true }
        guard let subject = identity.subject else { return false }
        return who == subject || identity.issuer.map { who == Text("sub:\(subject.string)@\($0.string)") } == true
    }
}
