import SSHKeys
import Vocabulary

/// The messages that opk sends and understands (RFC 9987 section 5): a byte that says which, then its fields.
enum AgentMessage {
    /// SSH_AGENTC_…
    enum RequestNumber {
        static let requestIdentities: UInt8 = 11
        static let signRequest: UInt8 = 13
        static let addIdentity: UInt8 = 17
        static let removeIdentity: UInt8 = 18
        static let addIdentityConstrained: UInt8 = 25
    }

    /// SSH_AGENT_…
    enum AnswerNumber {
        static let failure: UInt8 = 5
        static let success: UInt8 = 6
        static let identitiesAnswer: UInt8 = 12
        static let signResponse: UInt8 = 14
    }

    /// SSH_AGENT_CONSTRAIN_…
    enum Constraint {
        /// A uint32 of seconds follows.
        static let lifetime: UInt8 = 1
        static let confirm: UInt8 = 2
    }

    static var list: [UInt8] { [RequestNumber.requestIdentities] }

    static func remove(_ blob: [UInt8]) -> [UInt8] {
        var writer = SSHWriter()
        writer.raw([RequestNumber.removeIdentity])
        writer.string(blob)
        return writer.bytes
    }

    /// Without flags: those are for RSA.
    static func sign(_ data: [UInt8], with blob: [UInt8]) -> [UInt8] {
        var writer = SSHWriter()
        writer.raw([RequestNumber.signRequest])
        writer.string(blob)
        writer.string(data)
        writer.uint32(0)
        return writer.bytes
    }

    /// SSH_AGENT_SUCCESS and nothing else.
    static func success(_ answer: [UInt8], of request: AgentError.Request) throws(AgentError) {
        let reader = try fields(answer, AnswerNumber.success, of: request)
        guard reader.isAtEnd else { throw .malformed(.fields) }
    }

    /// A uint32 of how many, then a blob and a comment for each.
    static func identities(_ answer: [UInt8]) throws(AgentError) -> [AgentIdentity] {
        var reader = try fields(answer, AnswerNumber.identitiesAnswer, of: .list)
        do throws(SSHFormatError) {
            let count = try reader.uint32()
            var identities: [AgentIdentity] = []
            // Each takes eight bytes at least, so a count that is not true ends with the answer.
            for _ in 0..<count {
                let blob = Array(try reader.string())
                identities.append(AgentIdentity(blob: blob, comment: Array(try reader.string())))
            }
            try reader.end()
            return identities
        } catch {
            throw .malformed(.fields)
        }
    }

    /// The signature's own blob: a string of its algorithm and one of its data.
    static func signature(_ answer: [UInt8]) throws(AgentError) -> [UInt8] {
        var reader = try fields(answer, AnswerNumber.signResponse, of: .sign)
        do throws(SSHFormatError) {
            let signature = Array(try reader.string())
            try reader.end()
            return signature
        } catch {
            throw .malformed(.fields)
        }
    }

    /// What follows the byte `expected`.
    private static func fields(_ answer: [UInt8], _ expected: UInt8, of request: AgentError.Request) throws(AgentError) -> SSHReader {
        guard let kind = answer.first else { throw .malformed(.length(0)) }
        if kind == AnswerNumber.failure, answer.count == 1 { throw .refused(request) }
        guard kind == expected else { throw .malformed(kind == AnswerNumber.failure ? .fields : .kind(kind)) }
        return SSHReader(answer.dropFirst())
    }
}
