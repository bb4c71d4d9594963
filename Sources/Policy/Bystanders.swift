import PKToken
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The rows of an account that surely mean somebody else, told by their bytes: an account may have a million rows, and to take one apart costs
/// ten times as much as to see that it is `ACCOUNT SUBJECT-OR-EMAIL ISSUER`, without quotes and of another person. What its options say does not
/// matter then, nor whether they can be read. Every other row is for the parser.
struct Bystanders {
    private let account: [UInt8]
    private let subject: [UInt8]
    private let email: [UInt8]
    /// Userinfo's, where it was asked.
    private let otherEmail: [UInt8]

    init(account: Text, apartFrom person: Person, and other: Person? = nil) {
        self.account = account.utf8
        subject = person.subject.utf8
        email = person.email?.address.utf8 ?? []
        otherEmail = other?.email?.address.utf8 ?? []
    }

    /// Whether the line is such a row and its third column is `issuer`, which has been found good.
    func have(_ line: Span<UInt8>, of issuer: [UInt8]) -> Bool {
        let first = Bystanders.skipBlanks(line, 0)
        let identity = Bystanders.skipBlanks(line, first + account.count)
        guard identity > first + account.count, Bystanders.equal(line, first, account) else { return false }
        let end = Bystanders.endOfPlain(line, identity)
        let third = Bystanders.skipBlanks(line, end)
        let last = third + issuer.count
        guard end > identity, third > end, Bystanders.equal(line, third, issuer), last == line.count || isBlank(line[last]) else {
            return false
        }
        let word = line.extracting(identity..<end)
        return !Bystanders.resembles(word, subject) && !Bystanders.resembles(word, email)
            && (otherEmail.isEmpty || !Bystanders.resembles(word, otherEmail))
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

    /// Where the bytes from `start` on end that stand for themselves wherever they are: at a blank, quote, backslash or #, at anything beyond ASCII, and
    /// at a colon, with which all forms of an identity begin but the two plain ones.
    private static func endOfPlain(_ line: Span<UInt8>, _ start: Int) -> Int {
        var index = start
        // Eight of twenty million bytes at once, one more that ends here (an asterisk) being the parser's business.
        while index <= line.count - 8 {
            let bytes = EightBytes(line, index)
            let ends = bytes.special | bytes.colons
            if ends != 0 { return index + ends.trailingZeroBitCount >> 3 }
            index += 8
        }
        // And the last few by a table of bits.
        while index < line.count {
            let byte = line[index]
            let half = byte & 0x40 == 0 ? lower : upper
            if half &>> UInt64(byte & 0x3F) & (byte < 0x80 ? 1 : 0) == 0 { break }
            index += 1
        }
        return index
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
