public import LibCrypto

/// Why ssh-agent was of no use: a closed list. AgentErrorWording.swift says it to a person.
///
/// No case carries a key or anything else that is secret.
public enum AgentError: Error, Hashable, Sendable {
    // The way to it
    /// SSH_AUTH_SOCK is not set, or empty.
    case noAgent
    /// Nothing is at the path that SSH_AUTH_SOCK names.
    case nothingThere(path: String)
    /// The socket is there and nobody listens: its agent has ended.
    case ended(path: String)
    case unreachable(path: String, errno: Int32)
    /// Another user's program listens there: it would get the private key.
    case somebodyElses(path: String, user: UInt32)

    // The conversation
    /// No whole answer within so many milliseconds.
    case timedOut(milliseconds: Int64)
    /// It hung up before a whole answer.
    case hungUp
    case malformed(Malformation)

    // The answer
    /// It is locked (`ssh-add -x`): it shows no keys and takes none. An agent that is empty and takes no keys looks the same.
    case locked
    /// SSH_AGENT_FAILURE (RFC 9987 section 5.1): it gives no reason.
    case refused(Request)

    // Our own
    /// The certificate ends now, or has ended.
    case expired
    /// A request over the frame's limit.
    case tooLarge
    case key(KeyError)

    public enum Malformation: Hashable, Sendable {
        /// A frame of no bytes, or over the limit.
        case length(UInt32)
        /// Another kind of answer than was asked for.
        case kind(UInt8)
        /// A length field within the answer reaches beyond its end, or bytes are left over.
        case fields
        /// What it signed with is not the key that was asked for.
        case signature
    }

    /// What was asked of it.
    public enum Request: Hashable, Sendable {
        case list, add, remove, sign
    }
}
