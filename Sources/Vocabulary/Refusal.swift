/// Why somebody was not admitted: one of a closed list of codes, the step of PROTOCOL section 5 that it belongs to, and a detail for
/// the administrator's log. The person at the other end is never told.
///
/// Two refusals are equal when their codes are: no code may decide on the wording.
public struct Refusal: Error, Equatable, Sendable {
    public let code: Code
    /// Private to the log. Hostile text in it must have been escaped (`Text.escaped`); it never holds a token, a code, a key or a secret.
    public let detail: String

    public let step: Step

    /// - Parameter step: where it is not the code's usual one: a file that cannot be used is found out when it is needed.
    public init(_ code: Code, _ detail: String = "", step: Step? = nil) {
        self.code = code
        self.detail = detail
        self.step = step ?? code.step
    }

    public static func == (left: Refusal, right: Refusal) -> Bool { left.code == right.code }

    /// The steps of PROTOCOL section 5.
    public enum Step: Int, Sendable, CaseIterable {
        case certificate = 1
        case selfSignature, pkToken, clientSignature, providerRow, commitment, times, providerSignature, policy, answer
    }
}

extension Refusal: CustomStringConvertible {
    public var description: String {
        detail.isEmpty ? code.wording : code.wording + ": " + detail
    }
}
