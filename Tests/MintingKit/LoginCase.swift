public import Vocabulary

/// One row of a table: what is changed about a good login, and how it then ends.
public struct LoginCase: Sendable, CustomStringConvertible {
    /// With the adversary's ID where it has one.
    public let about: String
    /// Nil where the login must be admitted all the same.
    public let code: Refusal.Code?
    public let change: @Sendable (inout MintedLogin) throws -> Void

    public init(_ about: String, _ code: Refusal.Code?, _ change: @escaping @Sendable (inout MintedLogin) throws -> Void) {
        self.about = about
        self.code = code
        self.change = change
    }

    public var description: String { about }

    /// How the changed login ends.
    public func run(from login: MintedLogin) throws -> Refusal.Code? {
        try login.with(change).refusal()
    }
}

/// The parts of a compact token between its colons, for taking apart and putting together.
public func segments(_ token: [UInt8]) -> [[UInt8]] {
    token.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map(Array.init)
}

public func joined(_ segments: [[UInt8]]) -> [UInt8] {
    Array(segments.joined(separator: [UInt8(ascii: ":")]))
}
