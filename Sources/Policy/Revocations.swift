public import SafeFiles
public import Vocabulary

/// The facts of one login that `revoked` can speak of.
public struct RevocationSubject: Hashable, Sendable {
    /// Every email that the tokens and userinfo name, verified or not.
    public var emails: [Text]
    public var subject: Text
    public var issuer: Text
    /// The user key's fingerprint: `SHA256:` and 43 characters.
    public var key: Text
    /// The ID token's `iat`.
    public var issuedAt: UnixTime

    public init(emails: [Text], subject: Text, issuer: Text, key: Text, issuedAt: UnixTime) {
        self.emails = emails
        self.subject = subject
        self.issuer = issuer
        self.key = key
        self.issuedAt = issuedAt
    }
}

/// The file `revoked`: who is out, now.
///
/// A row that cannot be read makes the whole file malformed, and then nobody may be admitted: it might have been the one that matters.
public struct Revocations: Hashable, Sendable {
    /// In the file's order: all of them, or those that can concern the one whom the file was read about.
    public private(set) var rows: [Revocation] = []

    /// Why the file could not be used.
    public typealias Failure = ServerConfig.Failure

    /// What holds where the file is absent or empty: nobody is out.
    public init() {}

    /// - Parameter subject: whose rows are kept; every row is read all the same. Nil: everybody's.
    public static func read(_ path: String, trust: FileTrust, about subject: RevocationSubject?) throws(Failure) -> Revocations {
        var reader = Reader(subject)
        do {
            guard let file = try SafeFile(path, trust: trust) else { return Revocations() }
            try file.eachLine { line in reader.take(line) }
        } catch { throw .unsafe(error) }
        if let fault = reader.fault { throw .malformed(path: path, fault) }
        return reader.found
    }

    /// The same of a text.
    public init(parsing bytes: [UInt8], about subject: RevocationSubject? = nil) throws(ConfigurationError) {
        var reader = Reader(subject)
        LineSplitter.eachLine(of: bytes) { line in reader.take(line) }
        if let fault = reader.fault { throw fault }
        self = reader.found
    }

    /// The first row by which this login is out. Where the file was read about somebody, only about the same.
    public func revoking(_ subject: RevocationSubject) -> Revocation? {
        rows.first { row in row.what.concerns(subject) && row.before.map { subject.issuedAt < $0 } != false }
    }

    private struct Reader {
        let subject: RevocationSubject?
        let others: RevokedOthers?
        var found = Revocations()
        /// The first row that cannot be read.
        var fault: ConfigurationError?

        init(_ subject: RevocationSubject?) {
            self.subject = subject
            others = subject.map { RevokedOthers(apartFrom: $0) }
        }

        mutating func take(_ line: ScannedLine) {
            if fault != nil || line.isWhole && others?.have(line.bytes.span) == true { return }
            do {
                guard let columns = try Columns(line) else { return }
                let row = try Revocation(columns, line: line.number)
                if subject.map(row.what.concerns) != false { found.rows.append(row) }
            } catch { fault = ConfigurationError(line.number, error.text) }
        }
    }
}

extension Revocation.What {
    /// Whether this means the one who logs in, whenever the identity was issued.
    func concerns(_ subject: RevocationSubject) -> Bool {
        switch self {
        case .email(let address): subject.emails.contains { $0.equalsIgnoringASCIICase(address) }
        case .subject(let name, let issuer): name == subject.subject && issuer == subject.issuer
        case .key(let fingerprint): fingerprint == subject.key
        case .issuer(let issuer): issuer == subject.issuer
        }
    }
}
