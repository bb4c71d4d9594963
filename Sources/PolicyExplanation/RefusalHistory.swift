import Display
public import JOSE
import RecentRefusals
public import Verifier
public import Vocabulary

/// The last refusals on this server, as opk-verify kept them. Whoever runs as its user could have written anything there.
public struct RefusalHistory: Sendable {
    public let entries: [Entry]
    private let now: UnixTime

    public struct Entry: Sendable {
        public let time: UnixTime
        public let refusal: KeptRefusal
    }

    /// - Parameter folder: opk-verify's state folder.
    public init(folder: String, at now: UnixTime) throws(ExplainError) {
        do {
            entries = try RecentRefusals.read(in: folder).compactMap { entry in
                KeptRefusal(parsing: entry.text).map { Entry(time: entry.time, refusal: $0) }
            }
        } catch {
            throw .recent(path: RecentRefusals.path(in: folder), errno: error.errno)
        }
        self.now = now
    }

    /// The newest so many.
    public func last(_ count: Int) -> [Entry] { Array(entries.prefix(max(0, count))) }

    /// - Parameter id: without `id=`.
    func entry(id: Text) -> Entry? { entries.first { Text($0.refusal.id) == id } }

    public func lines(_ shown: [Entry]) -> [String] {
        if shown.isEmpty { return ["No refusal is kept."] }
        return shown.flatMap { RefusalHistory.lines($0, now) + [""] }.dropLast()
    }

    static func lines(_ entry: Entry, _ now: UnixTime) -> [String] {
        let refusal = entry.refusal
        var lines = [
            "\(Words.when(entry.time, now))  id \(RefusalHistory.shown(refusal.id))",
            "  account \(RefusalHistory.shown(refusal.account))" + RefusalHistory.who(refusal),
            "  \(refusal.step.map { "step \($0), " } ?? "")\(RefusalHistory.shown(refusal.reason))"
                + (refusal.detail.isEmpty ? "" : ": \(RefusalHistory.shown(refusal.detail))"),
        ]
        if let command = RefusalHistory.command(refusal) { lines.append("  to look closer: \(RefusalHistory.shown(command))") }
        return lines
    }

    /// Escaped already by whoever wrote it, if that was opk-verify.
    static func shown(_ text: String) -> String { text.isEmpty ? "-" : Text(text).escapedOnce(limit: 2000) }

    static func who(_ refusal: KeptRefusal) -> String {
        guard !refusal.issuer.isEmpty else { return "" }
        let names = [refusal.email, refusal.subject.isEmpty ? "" : "sub \(refusal.subject)"].filter { !$0.isEmpty }
        return ", \(shown(names.joined(separator: ", "))) of \(shown(refusal.issuer))"
            + (refusal.isVerified ? "" : " (says the token; not verified)")
    }

    /// What explains it, where the person is known; what has an escape in it cannot be taken for the name itself.
    static func command(_ refusal: KeptRefusal) -> String? {
        let parts = [refusal.account, refusal.issuer, refusal.email, refusal.subject]
        guard !refusal.account.isEmpty, !refusal.issuer.isEmpty, !refusal.email.isEmpty || !refusal.subject.isEmpty,
            parts.allSatisfy({ !$0.contains("\\") && !$0.hasSuffix("…") }), !refusal.account.hasPrefix("-")
        else { return nil }
        var words = ["opk explain", Words.quoted(Text(refusal.account))]
        if !refusal.email.isEmpty { words.append("--email=" + Words.quoted(Text(refusal.email))) }
        if !refusal.subject.isEmpty { words.append("--sub=" + Words.quoted(Text(refusal.subject))) }
        return (words + ["--issuer=" + Words.quoted(Text(refusal.issuer))]).joined(separator: " ")
    }

    public func json(_ shown: [Entry]) -> JSON { .array(shown.map(RefusalHistory.json)) }

    private static func json(_ entry: Entry) -> JSON { .object(members(entry)) }

    static func members(_ entry: Entry) -> JSONObject {
        let refusal = entry.refusal
        var object = JSONObject()
        func text(_ value: String) -> JSON { value.isEmpty ? .null : .string(Text(value)) }
        object["time"] = .string(Text("\(entry.time)"))
        object["id"] = text(refusal.id)
        object["account"] = text(refusal.account)
        object["issuer"] = text(refusal.issuer)
        object["sub"] = text(refusal.subject)
        object["email"] = text(refusal.email)
        object["verified"] = .bool(refusal.isVerified)
        object["step"] = refusal.step.map { .number(JSONNumber(Int64($0))) } ?? .null
        object["reason"] = text(refusal.reason)
        object["why"] = text(refusal.detail)
        object["command"] = text(command(refusal) ?? "")
        return object
    }
}

extension KeptRefusal {
    /// Nil where it is not UTF-8 or has no line that is known.
    init?(parsing bytes: [UInt8]) {
        guard let text = Text(validating: bytes) else { return nil }
        self.init()
        var isKnown = false
        for line in text.utf8.split(separator: 0x0A) {
            let blank = line.firstIndex(of: 0x20) ?? line.endIndex
            let value = String(decoding: line[blank...].dropFirst(), as: UTF8.self)
            switch String(decoding: line[..<blank], as: UTF8.self) {
            case "id": id = value
            case "step": step = Int(value).flatMap { (1...10).contains($0) ? $0 : nil }
            case "reason": reason = value
            case "account": account = value
            case "issuer": issuer = value
            case "subject": subject = value
            case "email": email = value
            case "verified": isVerified = value == "yes"
            case "detail": detail = value
            default: continue
            }
            isKnown = true
        }
        if !isKnown { return nil }
    }
}
