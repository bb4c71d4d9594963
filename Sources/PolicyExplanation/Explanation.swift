import Policy
public import Vocabulary

/// Why a login is admitted or refused: the verifier's own decision, step by step, and what would have to change.
public struct Explanation: Sendable {
    /// As asked for; hostile.
    public let account: [UInt8]
    public let time: UnixTime
    public let address: NetworkAddress?
    public let subject: Subject
    public let steps: [Step]
    public let policy: PolicyFinding?
    public let verdict: Verdict
    /// What would admit: all of these together.
    public let changes: [Change]
    /// The lines for sshd, the key cut short; for somebody who is only supposed, the options alone.
    public let lines: [String]
    /// opk-verify would have fetched the provider's keys.
    public let lacksFetch: Bool
    /// Of files that nobody can be admitted by.
    public let configurationFault: String?

    public enum Subject: Hashable, Sendable {
        case certificate
        /// Nobody's certificate: somebody as they are supposed to be.
        case supposition
    }

    public enum Verdict: Sendable {
        /// Another key's business.
        case notOurs
        case admitted
        case refused(Refusal)
    }

    /// One step of PROTOCOL section 5.
    public struct Step: Hashable, Sendable {
        public let step: Refusal.Step
        public let state: State
        /// Escaped.
        public let text: String
    }

    public enum State: Hashable, Sendable {
        case holds
        case fails(Refusal.Code)
        /// It would hold, were the steps before it all right.
        case supposed
        case notReached
    }

    public var isAdmitted: Bool { if case .admitted = verdict { true } else { false } }

    /// Whether the provider's signature was not found good: whoever made the certificate may have written anything.
    public var isHearsay: Bool {
        guard subject == .certificate, let step = steps.first(where: { $0.step == .providerSignature }) else { return false }
        return step.state != .holds && step.state != .supposed
    }

    /// Whether something that was not asked could still admit.
    public var isOpen: Bool {
        guard case .refused(let refusal) = verdict else { return false }
        if lacksFetch && refusal.step == .providerSignature { return true }
        return policy?.isSupposed != true && policy?.isOpen == true
    }
}

extension Refusal.Step {
    /// For a person.
    var title: String {
        switch self {
        case .certificate: "certificate"
        case .selfSignature: "self-signature"
        case .pkToken: "PK token"
        case .clientSignature: "client signature"
        case .providerRow: "provider row"
        case .commitment: "commitment"
        case .times: "times"
        case .providerSignature: "provider signature"
        case .policy: "policy"
        case .answer: "answer"
        }
    }

    /// For a script.
    var name: Text { Text(String(title.lowercased().map { $0 == " " ? "-" : $0 })) }
}
