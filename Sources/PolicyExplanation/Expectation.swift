import Policy
public import SSHKeys
public import Vocabulary

/// One line of a file of expectations: who, as which account, when, from where; and whether policy admits.
///
///     alice@example.com as root at 23:00 from 10.1.2.3 with groups=dev,ops amr=hwk: no
public struct Expectation: Sendable {
    /// Counted from 1.
    public let line: Int
    /// As it is written, without a comment.
    public let text: Text
    public internal(set) var person = SupposedPerson()
    public let account: Principal
    public let isExpected: Bool
    /// Nil for now.
    public internal(set) var time: UnixTime?
    public internal(set) var address: NetworkAddress?
    /// The number that the account is supposed to have.
    public internal(set) var userID: UInt32
    /// Since the ID token was issued, in seconds.
    public internal(set) var age: Int64 = 0
    /// Since the person signed in, in seconds; nil: the token does not say.
    public internal(set) var authAge: Int64?
}

/// What is wrong with one line.
public struct ExpectationFault: Error, Hashable, Sendable, CustomStringConvertible {
    public let line: Int
    /// Escaped.
    public let text: String

    public var description: String { "line \(line): \(text)" }
}

/// A file of expectations, read.
public struct ExpectationFile: Sendable {
    public private(set) var expectations: [Expectation] = []
    public private(set) var faults: [ExpectationFault] = []

    /// Bytes of a file.
    public static let limit = 16 << 20

    /// - Parameters:
    ///   - now: for a file without a directive `now`.
    ///   - issuer: what an issuer that is written stands for: itself, or that of an alias.
    public init(parsing bytes: [UInt8], at now: UnixTime, issuer: @escaping (Text) -> Text = { $0 }) {
        var reader = ExpectationReader(now: now, issuer: issuer)
        var number = 0
        // Without a byte order mark.
        let content = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        for line in content.split(separator: 0x0A, omittingEmptySubsequences: false) {
            number += 1
            do throws(ExpectationWords.Fault) {
                if let expectation = try reader.take(line.last == 0x0D ? line.dropLast() : line, number) {
                    expectations.append(expectation)
                }
            } catch {
                faults.append(ExpectationFault(line: number, text: error.text))
            }
        }
    }
}
