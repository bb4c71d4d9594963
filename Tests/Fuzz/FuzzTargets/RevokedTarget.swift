import Policy
import Vocabulary

/// Reads the bytes as `revoked`. What is accepted is written and must be read back the same, and nobody whom a row means is passed over.
@Sendable func revoked(_ bytes: [UInt8]) {
    let all: Revocations
    do {
        all = try Revocations(parsing: bytes)
    } catch {
        must(!"\(error)".utf8.contains { $0 < 0x20 || $0 == 0x7F }, "a control character in a message")
        must(error.line > 0, "a bad row without its line")
        for subject in [someone, meant(by: .email("alice@example.com"))] {
            must((try? Revocations(parsing: bytes, about: subject)) == nil, "a bad row that was passed over")
        }
        return
    }
    for subject in [someone] + all.rows.prefix(8).map({ meant(by: $0.what) }) {
        guard let about = try? Revocations(parsing: bytes, about: subject) else {
            must(false, "a file that is read only in full")
            return
        }
        must(about.revoking(subject) == all.revoking(subject), "a row that was passed over, or is not there")
    }
    for row in all.rows.prefix(64) {
        must(row.line > 0 && !row.written.utf8.contains { $0 < 0x20 || $0 == 0x7F }, "a row that cannot be written")
        let again = (try? Revocations(parsing: row.written.utf8))?.rows ?? []
        must(
            again.count == 1 && again[0].what == row.what && again[0].before == row.before,
            "a row that is read differently once it is written")
        must((try? Revocation(row.what, before: row.before)) != nil, "a row that is in the file and could not be made")
        let before = row.before ?? .endOfYear9999
        must(all.revoking(meant(by: row.what, at: before + -1)) != nil, "a row that does not hold")
    }
}

private let someone = meant(by: .subject("alice-1", issuer: "https://issuer.example.com"))

/// Somebody of whom only this is known.
private func meant(by what: Revocation.What, at issuedAt: UnixTime = UnixTime(seconds: 1_790_000_000)) -> RevocationSubject {
    var subject = RevocationSubject(emails: [], subject: "", issuer: "", key: "", issuedAt: issuedAt)
    switch what {
    case .email(let address): subject.emails = [address.lowercasedASCII]
    case .subject(let name, let issuer): (subject.subject, subject.issuer) = (name, issuer)
    case .key(let fingerprint): subject.key = fingerprint
    case .issuer(let issuer): subject.issuer = issuer
    }
    return subject
}
