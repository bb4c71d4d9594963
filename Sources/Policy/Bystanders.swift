import PKToken
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The rows of an account that surely mean somebody else, told by their bytes: an account may have a million rows, and to take one apart costs
/// ten times as much as to see that it is `ACCOUNT SUBJECT-OR-EMAIL ISSUER`, without quotes, comments or options, and of another person.
/// Every other row is for the parser.
struct Bystanders {
    private let account: [UInt8]
    private let subject: [UInt8]
    private let email: [UInt8]

    init(account: Text, apartFrom person: Person) {
        self.account = account.utf8
        subject = person.subject.utf8
        email = person.email?.address.utf8 ?? []
    }

    /// Whether the line is such a row and its last column is `issuer`, which has been found good.
    func have(_ line: Span<UInt8>, of issuer: [UInt8]) -> Bool {
        let first = Bystanders.skipBlanks(line, 0)
        let identity = Bystanders.skipBlanks(line, first + account.count)
        let last = line.count - issuer.count
        guard identity > first + account.count, identity < last, isBlank(line[last - 1]),
            Bystanders.equal(line, last, issuer), Bystanders.equal(line, first, account)
        else { return false }
        var end = last - 1
        while isBlank(line[end - 1]) { end -= 1 }
        guard Bystanders.arePlain(line.extracting(identity..<end)) else { return false }
        let word = line.extracting(identity..<end)
        return !Bystanders.resembles(word, subject) && !Bystanders.resembles(word, email)
    }

    private static func skipBlanks(_ line: Span<UInt8>, _ start: Int) -> Int {
        var position = start
        while position < line.count && isBlank(line[position]) { position += 1 }
        return position
    }

    /// Whether `bytes` stand there, and stand for themselves: an apostrophe may be in a URL, and be a quote in a line.
    private static func equal(_ line: Span<UInt8>, _ start: Int, _ bytes: [UInt8]) -> Bool {
        // memcmp and memchr: this is done for a million rows. Neither reads beyond the bytes, and the line has as many from `start` on.
        guard start >= 0, line.count - start >= bytes.count else { return false }
        return unsafe line.withUnsafeBufferPointer { there in
            unsafe bytes.withUnsafeBufferPointer { wanted in
                guard let there = there.baseAddress, let wanted = wanted.baseAddress else { return bytes.isEmpty }
                return unsafe memcmp(there + start, wanted, bytes.count) == 0 && memchr(wanted, 0x27, bytes.count) == nil
            }
        }
    }

    /// Each stands for itself wherever it is: no blank, quote, backslash or #, nothing beyond ASCII, and no colon, with which all forms of an
    /// identity begin but the two plain ones.
    private static func arePlain(_ word: Span<UInt8>) -> Bool {
        var plain: UInt64 = 1
        // One look at a table of bits, and no branch, for each of twenty million bytes.
        for index in word.indices {
            let byte = word[index]
            let half = byte & 0x40 == 0 ? lower : upper
            plain &= half &>> UInt64(byte & 0x3F) & (byte < 0x80 ? 1 : 0)
        }
        return plain == 1
    }

    /// A bit for each byte from 0 to ?: those from ! on, without " # ' and :.
    private static let lower: UInt64 = 0xFBFFFF7200000000
    /// A bit for each byte from @ to DEL: without backslash and DEL.
    private static let upper: UInt64 = 0x7FFFFFFFEFFFFFFF

    /// Equal but for one bit of each byte, the one that makes upper case lower: the parser tells what is equal indeed.
    private static func resembles(_ word: Span<UInt8>, _ bytes: [UInt8]) -> Bool {
        guard word.count == bytes.count else { return false }
        for index in bytes.indices where word[index] | 0x20 != bytes[index] | 0x20 { return false }
        return true
    }
}
