public import Vocabulary

/// One row of `revoked`: what is out, and since when (POLICY.md).
///
/// There is no row that could not be written to the file and read back the same.
public struct Revocation: Hashable, Sendable {
    /// Counted from 1, 0 for one that is in no file; not part of what the row says.
    public let line: Int
    public let what: What
    /// Only identities issued earlier than this are out; nil: all of them.
    public let before: UnixTime?

    /// Who or what is out.
    public enum What: Hashable, Sendable {
        /// `email:ADDRESS`, of whatever issuer, verified or not. ASCII case is ignored, nothing else is folded.
        case email(Text)
        /// `sub:SUBJECT@ISSUER`, both byte for byte.
        case subject(Text, issuer: Text)
        /// `key:SHA256:…`, the fingerprint of a user's key as ssh-keygen -l prints it.
        case key(Text)
        /// `issuer:URL`: everybody of this issuer, byte for byte.
        case issuer(Text)
    }

    /// For a new row.
    ///
    /// - Throws: where the file could not say this, or nobody would be out by it.
    public init(_ what: What, before: UnixTime? = nil) throws(RowProblem) {
        do throws(RowFault) {
            guard try What(parsing: what.word) == what else { throw RowFault("\(what.word) would mean something else in the file") }
            try Revocation.check(before)
        } catch { throw RowProblem(line: 0, text: error.text) }
        (line, self.what, self.before) = (0, what, before)
    }

    /// Reads a row that has been cut into columns.
    init(_ columns: Columns, line: Int) throws(RowFault) {
        guard columns.words.count <= 2 else { throw RowFault("a row has one or two columns (what, before), this one has more") }
        what = try What(parsing: columns.words[0])
        self.line = line
        guard columns.words.count == 2 else {
            before = nil
            return
        }
        guard let time = UnixTime(rfc3339: columns.words[1]) else {
            throw RowFault("\(columns.words[1]) is not a time such as 2026-12-24T18:00Z")
        }
        before = time
        try Revocation.check(before)
    }

    /// No token is from a time before 1970, so such a row would let everybody in; and what lies behind 9999 has no form in the file.
    private static func check(_ before: UnixTime?) throws(RowFault) {
        guard let before else { return }
        guard before > UnixTime(seconds: 0) else { throw RowFault("nothing was issued before \(before), so nobody would be out by this") }
        guard before <= UnixTime.endOfYear9999 else { throw RowFault("\(before) is later than the year 9999") }
    }
}

extension Revocation.What {
    /// The longest word that is read, 8 KiB: quoted, it still fits a line.
    static let longest = 8 << 10

    /// Reads the first column, quotes of the shell already taken off, or what somebody typed.
    public init(_ word: Text) throws(RowProblem) {
        do { try self.init(parsing: word) } catch { throw RowProblem(line: 0, text: error.text) }
    }

    init(parsing word: Text) throws(RowFault) {
        guard word.count <= Revocation.What.longest else { throw RowFault("a column is longer than \(Revocation.What.longest) bytes") }
        if word.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { throw RowFault("\(word) has a control character") }
        if let address = word.after("email:") {
            guard ServerConfig.isAddress(address) else { throw RowFault("email: takes a whole address, not \"\(address)\"") }
            self = .email(address)
        } else if let rest = word.after("sub:") {
            self = try Revocation.What.subject(rest)
        } else if let fingerprint = word.after("key:") {
            try Revocation.What.checkFingerprint(fingerprint)
            self = .key(fingerprint)
        } else if let issuer = word.after("issuer:") {
            try IssuerURL.check(issuer)
            self = .issuer(issuer)
        } else {
            throw RowFault("\"\(word)\" begins with none of email:, sub:, key:SHA256: and issuer:")
        }
    }

    /// SUBJECT@ISSUER. A subject may have an `@`, even one before https://, so the last one cuts.
    private static func subject(_ rest: Text) throws(RowFault) -> Revocation.What {
        let at = rest.utf8.indices.last { index in
            let tail = rest.utf8[index...]
            return tail.first == UInt8(ascii: "@") && (tail.starts(with: "@https://".utf8) || tail.starts(with: "@http://".utf8))
        }
        guard let at, let subject = Text(validating: rest.utf8[..<at]), let issuer = Text(validating: rest.utf8[(at + 1)...]) else {
            throw RowFault("sub: takes SUBJECT@ISSUER, and \"\(rest)\" has no @https://")
        }
        if subject.isEmpty { throw RowFault("sub: takes SUBJECT@ISSUER, and there is no subject") }
        try IssuerURL.check(issuer)
        return .subject(subject, issuer: issuer)
    }

    /// `SHA256:` and the base64 of 32 bytes without padding. Bits left over must be 0: no key has another fingerprint.
    private static func checkFingerprint(_ text: Text) throws(RowFault) {
        guard let digest = text.after("SHA256:"), digest.count == 43, Base64.decode(digest.utf8 + [UInt8(ascii: "=")])?.count == 32 else {
            throw RowFault("key: takes a fingerprint (SHA256: and 43 characters, as ssh-keygen -l prints it), not \"\(text)\"")
        }
    }

    /// As the first column has it, before anything is quoted.
    public var word: Text {
        switch self {
        case .email(let address): Text("email:" + address.string)
        case .subject(let subject, let issuer): Text("sub:" + subject.string + "@" + issuer.string)
        case .key(let fingerprint): Text("key:" + fingerprint.string)
        case .issuer(let issuer): Text("issuer:" + issuer.string)
        }
    }
}

extension Revocation.What: CustomStringConvertible {
    public var description: String { word.escapedOnce(limit: .max) }
}

extension Text {
    /// What is behind the prefix; nil where that is not what it begins with.
    fileprivate func after(_ prefix: Text) -> Text? { hasPrefix(prefix) ? dropFirst(prefix.count) : nil }
}
