public import ChildProcess
public import LibCrypto
public import SSHKeys
public import Vocabulary

/// The agent at SSH_AUTH_SOCK (RFC 9987), asked over its Unix socket: this user's own, or root's.
///
/// Each request has a connection of its own and a deadline: an agent that hangs holds nobody up for longer.
public struct SSHAgent: Sendable {
    /// Where it listens.
    public let path: String
    /// Milliseconds for a request and its answer. Some agents ask a person first.
    public var patience: Int64

    /// Milliseconds.
    public static let usualPatience: Int64 = 10_000
    /// Milliseconds: a key may have been added so that a person is asked each time that it signs.
    public static let patienceForSigning: Int64 = 60_000

    /// The agent that SSH_AUTH_SOCK names; asked nothing but whether it is there and whose it is.
    public static func connect(
        environment: ProcessEnvironment = .inherited(), patience: Int64 = usualPatience
    ) throws(AgentError) -> SSHAgent {
        guard let path = environment["SSH_AUTH_SOCK"], !path.isEmpty else { throw .noAgent }
        let agent = SSHAgent(path: path, patience: patience)
        _ = try AgentConnection(path, patience: patience)
        return agent
    }

    private init(path: String, patience: Int64) {
        self.path = path
        self.patience = patience
    }

    /// In the agent's order, which is the order in which ssh offers them. A locked agent shows none.
    public func identities() throws(AgentError) -> [AgentIdentity] {
        try AgentMessage.identities(try ask(AgentMessage.list))
    }

    /// - Parameter blob: the plain key, or the whole certificate: as the agent knows it.
    public func remove(blob: [UInt8]) throws(AgentError) {
        try AgentMessage.success(try ask(AgentMessage.remove(blob)), of: .remove)
    }

    /// Removes whatever `isTheirs` says of what is there.
    ///
    /// - Returns: how many there were.
    @discardableResult
    public func removeAll(where isTheirs: (AgentIdentity) -> Bool) throws(AgentError) -> Int {
        let theirs = try identities().filter(isTheirs)
        for identity in theirs {
            do throws(AgentError) {
                try remove(blob: identity.blob)
            } catch {
                // Its lifetime may have ended meanwhile.
                guard case .refused = error, try !identities().contains(where: { $0.blob == identity.blob }) else { throw error }
            }
        }
        return theirs.count
    }

    /// Gives the agent a private key with its certificate, or the plain key. One that it has already gets the new constraints.
    ///
    /// - Parameter comment: what `ssh-add -l` shows.
    /// - Throws: `locked` where it shows no keys and refuses this one.
    public func add(
        _ key: PrivateKey, certificate: SSHCertificate?, comment: Text, constraints: AgentConstraints = AgentConstraints()
    ) throws(AgentError) {
        do throws(AgentError) {
            try AgentMessage.success(try ask(try AgentMessage.add(key, certificate, comment: comment, constraints)), of: .add)
        } catch {
            // SSH_AGENT_FAILURE has no reason in it.
            if error == .refused(.add), (try? identities())?.isEmpty == true { throw .locked }
            throw error
        }
    }

    /// A signature over `data` by a private key that the agent has, checked.
    ///
    /// - Parameter blob: the plain key, or the whole certificate: as the agent knows it.
    /// - Returns: the signature in SSH's form (RFC 4253 section 6.6): a string of the algorithm, a string of data.
    public func sign(_ data: [UInt8], with blob: [UInt8]) throws(AgentError) -> [UInt8] {
        var patient = self
        patient.patience = max(patience, SSHAgent.patienceForSigning)
        let signature = try AgentMessage.signature(try patient.ask(AgentMessage.sign(data, with: blob)))
        guard let key = (try? SSHCertificate(parsing: blob))?.key ?? PublicKey(sshBlob: blob),
            key.verifies(sshSignature: signature, over: data)
        else { throw .malformed(.signature) }
        return signature
    }

    private func ask(_ request: [UInt8]) throws(AgentError) -> [UInt8] {
        try AgentConnection(path, patience: patience).ask(request)
    }
}
