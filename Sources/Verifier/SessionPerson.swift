import PKToken
import Policy
import Vocabulary

/// Who a session is told that it is of, in `SSH_OPK_IDENTITY`: the email address where that may decide, else the subject and its issuer.
///
/// A help for whoever shares an account (a commit's author, a prompt), and no proof: what runs in a session can set any variable.
struct SessionPerson: CustomStringConvertible {
    static let variable = "SSH_OPK_IDENTITY"
    /// Bytes; a longer name is cut, and ends with an ellipsis.
    static let longest = 512

    /// Letters, digits and `@._+-:/`: all else is percent-encoded (RFC 3986 section 2.1), so that nothing of it can end a quote, or mean something
    /// to a shell.
    let description: String

    init(_ identity: VerifiedIdentity) {
        self.init(identity.decidingEmail ?? Text("\(identity.subject.string)@\(identity.issuer.string)"))
    }

    init(_ name: Text) {
        var written: [UInt8] = []
        for byte in name.utf8 {
            let next =
                SessionPerson.isSafe(byte) ? [byte] : [UInt8(ascii: "%"), SessionPerson.digit(byte >> 4), SessionPerson.digit(byte & 15)]
            if written.count + next.count > SessionPerson.longest {
                written += "...".utf8
                break
            }
            written += next
        }
        description = String(decoding: written, as: UTF8.self)
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x37 + value }

    private static func isSafe(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "@._+-:/".utf8.contains(byte)
        }
    }
}
