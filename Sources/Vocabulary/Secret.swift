/// Bytes that must not be seen: an access token, a client secret. Printing one, by accident or within another value, shows nothing.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The secret itself: for a request's body or a child's standard input, never for an argument, an environment or a log.
    public let exposed: [UInt8]

    public init(_ bytes: [UInt8]) { exposed = bytes }

    public var description: String { "(secret)" }
    public var debugDescription: String { "(secret)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
