import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension AgentError: CustomStringConvertible {
    /// What is wrong, without a full stop.
    public var description: String {
        switch self {
        case .noAgent: "there is no ssh-agent: SSH_AUTH_SOCK is not set"
        case .nothingThere(let path): "there is no ssh-agent: SSH_AUTH_SOCK names \(Text(path).escaped(limit: 120)), and nothing is there"
        case .ended(let path): "ssh-agent has ended: nobody listens at \(Text(path).escaped(limit: 120)) any more"
        case .unreachable(let path, let number):
            "ssh-agent cannot be reached at \(Text(path).escaped(limit: 120)): \(AgentError.systemError(number))"
        case .somebodyElses(let path, let user):
            "the ssh-agent at \(Text(path).escaped(limit: 120)) is another user's (user id \(user)), who would get the key"
        case .timedOut(let milliseconds): "ssh-agent did not answer within \((milliseconds + 999) / 1000) seconds"
        case .hungUp: "ssh-agent hung up without a whole answer"
        case .malformed(.length(let length)): "ssh-agent's answer is malformed: it claims to have \(length) bytes"
        case .malformed(.kind(let kind)): "ssh-agent's answer is malformed: it is of kind \(kind)"
        case .malformed(.fields): "ssh-agent's answer is malformed: its lengths do not add up"
        case .malformed(.signature): "ssh-agent's answer is no signature of the key that it was asked for"
        case .locked: "ssh-agent is locked, or takes no keys"
        case .refused(.list): "ssh-agent does not say which keys it has"
        case .refused(.add): "ssh-agent did not take the key with its certificate"
        case .refused(.remove): "ssh-agent did not give the key up"
        case .refused(.sign): "ssh-agent did not sign"
        case .expired: "the certificate has ended, so ssh-agent was not given it"
        case .tooLarge: "the certificate is too large for ssh-agent"
        case .key(let error): "the private key could not be read for ssh-agent: \(error)"
        }
    }

    /// What to do about it, where that can be guessed.
    public var hint: String? {
        switch self {
        case .noAgent, .nothingThere, .ended: "start one (eval \"$(ssh-agent)\"), or keep the key in a file: --store file"
        case .unreachable, .timedOut, .hungUp, .malformed: "does `ssh-add -l` work? A file serves without an agent: --store file"
        case .somebodyElses: "use an agent of your own, or keep the key in a file: --store file"
        case .locked: "unlock it: ssh-add -X; or keep the key in a file: --store file"
        case .refused(.add): "not every agent takes certificates (OpenSSH's does); a file serves without one: --store file"
        case .refused, .expired, .tooLarge, .key: nil
        }
    }

    private static func systemError(_ number: Int32) -> String {
        guard let text = unsafe strerror(number) else { return "error \(number)" }
        return unsafe String(cString: text)
    }
}
