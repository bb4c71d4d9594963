import ChildProcess
public import Identities
import LibCrypto
import PKToken
import SSHAgent
import SSHKeys
import SafeFiles
public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a login does with its key: files, ssh-agent, and the record of it in `~/.opk/identities`.
public struct KeyKeeping: Sendable {
    public let name: IdentityName
    public let store: KeyStore
    public let place: KeyPlace
    private let home: String
    private let registry: IdentityFolder
    private let environment: ProcessEnvironment
    private let staysForRefresh: Bool

    /// - Parameter staysForRefresh: the agent keeps the plain key beyond the certificate's end, so that it can sign a newer one.
    public init(
        _ name: IdentityName, store: KeyStore, place: KeyPlace, home: String, staysForRefresh: Bool = false
    ) {
        self.init(name, store: store, place: place, home: home, environment: .inherited(), staysForRefresh: staysForRefresh)
    }

    init(
        _ name: IdentityName, store: KeyStore, place: KeyPlace, home: String, environment: ProcessEnvironment, staysForRefresh: Bool = false
    ) {
        self.name = name
        self.store = store
        self.place = place
        self.home = home
        self.environment = environment
        self.staysForRefresh = staysForRefresh
        registry = IdentityFolder(below: home + "/.opk")
    }

    /// What became of it.
    public struct Kept: Sendable {
        /// Where the key is now: not in the agent if that did not take it and a file serves.
        public var store: KeyStore
        /// What did not work and is not fatal, a sentence each, without a full stop.
        public var warnings: [String] = []
    }

    /// What the agent shows of an identity of ours (`ssh-add -l`).
    public static func agentComment(_ name: IdentityName) -> Text { Text("opk \(name.text)") }

    /// Whether the agent will take the key: tried before anybody logs in.
    ///
    /// - Returns: what is wrong and not fatal, since a file serves as well.
    public func check(_ kind: KeyKind) throws(LoginError) -> [String] {
        guard store.usesAgent else { return [] }
        do throws(AgentError) {
            try SSHAgent.connect(environment: environment).check(taking: kind == .ecdsa ? .p256 : .ed25519)
            return []
        } catch {
            guard store.usesFile else { throw .agent(error) }
            return [KeyKeeping.fallback(error)]
        }
    }

    /// Keeps the key as `store` says. Where it throws, nothing of it is left, and the key of the last login is as it was.
    public func keep(_ result: LoginResult, of provider: ProviderConfig) throws(LoginError) -> Kept {
        let earlier = try? registry.read(name)
        var kept = Kept(store: store)
        if store.usesAgent {
            do throws(AgentError) {
                try add(result.key)
            } catch {
                guard store.usesFile else { throw .agent(error) }
                kept.store = .file
                kept.warnings.append(KeyKeeping.fallback(error))
            }
        }
        do throws(LoginError) {
            let hasPublicKey = kept.store.usesAgent || place.isOwn(home: home)
            try result.key.write(to: place, CertifiedKey.Parts(privateKey: store.usesFile, publicKey: hasPublicKey))
        } catch {
            if kept.store.usesAgent { forget(result.key) }
            throw error
        }
        removeEarlier(earlier, newer: result.key, &kept)
        do throws(WriteFailure) {
            try registry.write(record(result, provider, kept.store))
        } catch {
            kept.warnings.append("this login is not remembered, so `opk status` and `opk logout` do not know it: \(error)")
        }
        return kept
    }

    /// The same before a login and after it, so that it is said once.
    private static func fallback(_ error: AgentError) -> String { "\(error); the key is kept in a file alone" }

    private func record(_ result: LoginResult, _ provider: ProviderConfig, _ store: KeyStore) -> StoredIdentity {
        StoredIdentity(
            name: name, issuer: provider.issuer, clientID: provider.clientID, subject: result.identity.subject,
            email: result.identity.email, loggedInAt: .now(), ends: result.ends, store: store, keyFile: place.absolutePath,
            publicKey: result.key.privateKey.publicKey.sshBlob, hosts: provider.hosts)
    }
}

// The agent
extension KeyKeeping {
    /// The certificate first, since ssh offers what the agent holds in the order in which it came, and the plain key, as ssh-add does.
    ///
    /// The certificate alone serves `ssh HOST` without any configuration, and another machine to which the agent is forwarded. The plain key
    /// is what ssh signs with for a CertificateFile: with the certificate alone in the agent it finds no private key for one (measured with
    /// OpenSSH 9.2). And a refreshed certificate needs it, since nobody gets a private key out of an agent to add it again.
    private func add(_ key: CertifiedKey) throws(AgentError) {
        let agent = try SSHAgent.connect(environment: environment)
        let constraints = try AgentConstraints(for: key.certificate, at: .now())
        let comment = KeyKeeping.agentComment(name)
        try agent.add(key.privateKey, certificate: key.certificate, comment: comment, constraints: constraints)
        do throws(AgentError) {
            let plain = staysForRefresh ? AgentConstraints(confirms: constraints.confirms) : constraints
            try agent.add(key.privateKey, certificate: nil, comment: comment, constraints: plain)
        } catch {
            forget(key)
            throw error
        }
    }

    /// As far as that is possible: what cannot be removed leaves by its lifetime.
    private func forget(_ key: CertifiedKey) {
        let blob = key.privateKey.publicKey.sshBlob
        _ = try? SSHAgent.connect(environment: environment).removeAll { $0.holds(publicKey: blob) }
    }

    /// Takes the last login of this name out of the agent, and its private key off the disk where the new one shall not be there.
    private func removeEarlier(_ earlier: StoredIdentity?, newer: CertifiedKey, _ kept: inout Kept) {
        if kept.store.usesAgent || earlier?.store.usesAgent == true {
            let newBlob = newer.privateKey.publicKey.sshBlob
            let comment = KeyKeeping.agentComment(name).utf8
            do throws(AgentError) {
                try SSHAgent.connect(environment: environment).removeAll { identity in
                    guard !identity.holds(publicKey: newBlob) else { return false }
                    return identity.comment == comment || earlier.map { identity.holds(publicKey: $0.publicKey) } ?? false
                }
            } catch {
                // Without an agent there is nothing of it in one.
                if kept.store.usesAgent { kept.warnings.append("the key of the last login is still in the agent: \(error)") }
            }
        }
        guard let earlier, Text(earlier.keyFile) != Text(place.absolutePath) else { return }
        let earlierPlace = KeyPlace(earlier.keyFile)
        // A file that the person chose (-i) stays theirs; one that opk chose would be a key that nobody knows of any more.
        guard !store.usesFile || earlierPlace.isOwn(home: home) || earlierPlace.isUsual(home: home) else {
            guard earlierPlace.occupancy() != .free else { return }
            kept.warnings.append(
                "the key of the login before stays in \(Text(earlier.keyFile).escaped), and `opk logout` does not know it any more")
            return
        }
        if !KeyPlace(earlier.keyFile).remove(ifItIs: earlier.publicKey) {
            kept.warnings.append("the private key of the last login is still at \(Text(earlier.keyFile).escaped)")
        }
    }
}

extension KeyPlace {
    /// Removes our files, if the certificate there is for this very key.
    ///
    /// - Returns: false where the private key is still there.
    fileprivate func remove(ifItIs publicKey: [UInt8]) -> Bool {
        switch occupancy() {
        case .free: return true
        case .somebodyElses: return true
        case .ours:
            let bytes = try? SafeFile.read(certificate, trust: .rootOrUser(UInt32(geteuid())), limit: 1 << 20)
            let line = bytes.flatMap { SSHKeyLine(parsing: $0) }
            let certified = line.flatMap { try? SSHCertificate(parsing: $0.blob) }?.key?.sshBlob
            // Another login's by now.
            guard certified == publicKey else { return true }
            var isGone = true
            for path in [certificate, self.publicKey, privateKey] {
                isGone = unsafe unlink(path) == 0 || errno == ENOENT
            }
            return isGone
        }
    }
}
