import Vocabulary

/// The lines of `revoked` that are well-formed and surely mean somebody else, told by their bytes: a hundred thousand rows are looked through
/// on every login, and to take one apart costs ten times as much as to see that it says nothing about whoever logs in.
///
/// Such a line is an empty one, a comment, or `WHAT [TIME] [# COMMENT]` in plain ASCII without quotes, the time in UTC without a fraction and the
/// issuer without a port. Every other line is for the parser, which alone says what is wrong with one.
struct RevokedOthers {
    /// `key:…`, `sub:…@…` and `issuer:…` as a row about the subject would have them.
    private let ownKey: [UInt8]
    private let ownSubject: [UInt8]
    private let ownIssuer: [UInt8]
    /// The subject's emails, each behind its length in two bytes: one array, since a row must not cost a reference count.
    private let ownEmails: [UInt8]

    init(apartFrom subject: RevocationSubject) {
        ownKey = Revocation.What.key(subject.key).word.utf8
        ownSubject = Revocation.What.subject(subject.subject, issuer: subject.issuer).word.utf8
        ownIssuer = Revocation.What.issuer(subject.issuer).word.utf8
        // A longer one is in no row.
        ownEmails = subject.emails.filter { $0.count <= Revocation.What.longest }.flatMap { email in
            [UInt8(email.count >> 8), UInt8(email.count & 0xFF)] + email.utf8
        }
    }

    /// Whether the line may be passed over.
    func have(_ line: Span<UInt8>) -> Bool {
        let end = PlainRow.wordEnd(line)
        guard PlainEnding.isGood(line, from: end) else { return false }
        return end == 0 || haveWord(line.extracting(0..<end))
    }

    /// Whether a word, all of which stands for itself, is well-formed and another's.
    private func haveWord(_ word: Span<UInt8>) -> Bool {
        guard word.count >= 8, word.count <= Revocation.What.longest else { return false }
        let first = EightBytes(word, 0)
        if first.begin(6, EightBytes.email) { return PlainRow.isEmail(word, from: 6) && !isOwnEmail(word.extracting(6...)) }
        if first.begin(4, EightBytes.sub) { return PlainRow.isSubject(word, from: 4) && !RevokedOthers.equal(word, ownSubject) }
        if first.begin(8, EightBytes.keySHA2) {
            return PlainRow.isDigest(word, from: 11) && EightBytes(word, 3).begin(8, EightBytes.colonSHA256)
                && !RevokedOthers.equal(word, ownKey)
        }
        if first.begin(7, EightBytes.issuer) { return PlainRow.isIssuer(word, from: 7) && !RevokedOthers.equal(word, ownIssuer) }
        return false
    }

    private static func equal(_ word: Span<UInt8>, _ bytes: [UInt8]) -> Bool {
        guard word.count == bytes.count else { return false }
        for index in bytes.indices where word[index] != bytes[index] { return false }
        return true
    }

    /// Equal but for one bit of each byte, the one that makes upper case lower: the parser tells what is equal indeed.
    private func isOwnEmail(_ address: Span<UInt8>) -> Bool {
        var start = 2
        while start <= ownEmails.count {
            let count = Int(ownEmails[start - 2]) << 8 | Int(ownEmails[start - 1])
            if count == address.count {
                var index = 0
                while index < count && address[index] | 0x20 == ownEmails[start + index] | 0x20 { index += 1 }
                if index == count { return true }
            }
            start += count + 2
        }
        return false
    }
}
