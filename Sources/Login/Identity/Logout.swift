public import ChildProcess
public import HTTP
public import Identities
import LibCrypto
import OIDC
import SSHAgent
import SSHKeys
import SafeFiles
import TokenStore
public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Takes an identity away from this laptop: its key from the disk and from ssh-agent, its refresh token, also at the provider; its record last, so that a
/// logout that was interrupted can be run again.
public struct Logout: Sendable {
    private let refresher: IdentityRefresher
    private let environment: ProcessEnvironment
    private let http: HTTPClient

    /// What came of it. Sentences, escaped.
    public struct Report: Sendable {
        public var done: [String] = []
        /// What could not be taken away, or told to the provider.
        public var problems: [String] = []
        /// Whether nothing of it is left on this machine.
        public var isGone = true
    }

    /// - Parameter home: the person's `~/.opk`.
    public init(below home: String, http: HTTPClient = HTTPClient(), environment: ProcessEnvironment = .inherited()) {
        refresher = IdentityRefresher(below: home, http: http, environment: environment)
        self.environment = environment
        self.http = http
    }

    public func run(_ name: IdentityName) -> Report {
        var report = Report()
        do throws(RefreshError) {
            // A refresh that is under way would write the certificate again.
            try refresher.lock.hold(name, waitingAtMost: IdentityLock.patience) { () throws(RefreshError) in
                do throws(UnsafeFile) {
                    guard let record = try refresher.identities.read(name) else { return }
                    end(record, &report)
                } catch {
                    throw .record(error)
                }
            }
        } catch {
            report.problems.append("\(error)")
            report.isGone = false
        }
        return report
    }

    /// A key that no record speaks of: an opkssh's, or an earlier opk's.
    public func run(unregistered place: KeyPlace) -> Report {
        var report = Report()
        let lock = FolderLock(place.folder.path)
        defer { lock?.release() }
        guard place.occupancy() == .ours else { return report }
        remove(place, &report)
        return report
    }

    private func end(_ record: StoredIdentity, _ report: inout Report) {
        removeFiles(of: record, &report)
        removeFromAgent(record, &report)
        removeToken(of: record, &report)
        guard report.isGone else { return }
        do throws(WriteFailure) {
            try refresher.identities.remove(record.name)
        } catch {
            report.problems.append("its record: \(error)")
            report.isGone = false
        }
    }

    /// Only what is this identity's: a later login may have put another key there, and that is not to go.
    private func removeFiles(of record: StoredIdentity, _ report: inout Report) {
        let place = record.place
        // A login that writes there has it in hand.
        let lock = FolderLock(place.folder.path)
        defer { lock?.release() }
        switch place.occupancy() {
        case .free: return
        case .somebodyElses(let why):
            let name = Text(place.privateKey).escaped
            guard place.mayHold(record.publicKey) else {
                report.done.append("\(name) is left as it is: \(why)")
                return
            }
            report.problems.append("the key is still in \(name), which is not removed: \(why)")
            report.isGone = false
            return
        case .ours: break
        }
        guard holdsKey(of: record, place) else {
            report.done.append("\(Text(place.privateKey).escaped) is left as it is: another login's key is there now")
            return
        }
        remove(place, &report)
    }

    private func holdsKey(of record: StoredIdentity, _ place: KeyPlace) -> Bool {
        if place.privateKeyBlob == record.publicKey { return true }
        guard place.privateKeyBlob == nil else { return false }
        do throws(HeldCertificate.Fault) {
            _ = try record.heldCertificate()
            return true
        } catch {
            // Without a private key there is nothing to lose.
            if case .replaced = error { return false }
            return true
        }
    }

    private func remove(_ place: KeyPlace, _ report: inout Report) {
        Folder.removeAbandoned(in: place.folder.path, olderThan: KeyPlace.writingTakesAtMost)
        var removed: [String] = []
        // The private key first: the rest is nothing without it.
        for path in [place.privateKey, place.certificate, place.publicKey] {
            if unsafe unlink(path) == 0 {
                removed.append(Text(path).escaped)
            } else if errno != ENOENT {
                report.problems.append("\(Text(path).escaped) cannot be removed: \(systemError(errno))")
                report.isGone = false
            }
        }
        if !removed.isEmpty { report.done.append("removed " + removed.joined(separator: ", ")) }
    }

    private func removeFromAgent(_ record: StoredIdentity, _ report: inout Report) {
        do throws(AgentError) {
            let agent = try SSHAgent.connect(environment: environment)
            let count = try agent.removeAll { $0.holds(publicKey: record.publicKey) }
            if count > 0 { report.done.append("removed from ssh-agent") }
            // A locked agent shows none of its keys: it has to be seen that it would.
            if count == 0, record.store.usesAgent { try agent.check(taking: .ed25519) }
        } catch {
            guard record.store.usesAgent else { return }
            switch error {
            // An agent that has ended holds nothing.
            case .nothingThere, .ended: report.problems.append("ssh-agent was not asked: \(error)")
            default:
                report.problems.append("the key may still be in ssh-agent: \(error)")
                report.isGone = false
            }
        }
    }

    private func removeToken(of record: StoredIdentity, _ report: inout Report) {
        guard let place = record.refreshToken else { return }
        do throws(TokenStoreError) {
            let token: StoredRefreshToken?
            do throws(TokenStoreError) {
                token = try refresher.tokens.token(record.name, in: place)
            } catch {
                // Malformed, for instance: it goes all the same.
                report.problems.append("\(error)")
                token = nil
            }
            if let token { revoke(token, &report) }
            try refresher.tokens.remove(record.name, from: place)
            report.done.append("removed its refresh token (\(place.rawValue))")
        } catch {
            report.problems.append("its refresh token stays in \(place.rawValue): \(error)")
            report.isGone = false
        }
    }

    private func revoke(_ token: StoredRefreshToken, _ report: inout Report) {
        do throws(RefreshError) {
            let told = try RefreshProvider(token, http: http).revoke(token.token)
            report.done.append(
                told ? "revoked its refresh token at the provider" : "the provider has no way to be told that a refresh token is over")
        } catch {
            report.problems.append("the provider was not told that the refresh token is over: \(error)")
        }
    }

    /// Where a browser ends the person's session at the provider (OpenID Connect RP-Initiated Logout 1.0), nil where it cannot. It has the client id alone
    /// in it: an ID token there (`id_token_hint`) would be in the browser's arguments and its history.
    public func endOfSession(issuer: Text, clientID: Text) throws(RefreshError) -> String? {
        do throws(OIDCError) {
            guard let url = try DiscoveryDocument.fetch(issuer: issuer, client: http).endSessionEndpoint else { return nil }
            return url.text + (url.query == nil ? "?" : "&") + Form.encode([(name: "client_id", value: clientID.string)])
        } catch {
            throw .provider("\(error)")
        }
    }
}

extension KeyPlace {
    /// Whether this public key's private half, or a certificate for it, seems to lie there, in files that are not to be trusted and not to be touched.
    func mayHold(_ blob: [UInt8]) -> Bool {
        if let bytes = KeyPlace.glance(at: privateKey), (try? OpenSSHPrivateKeyFile.outline(bytes))?.publicBlob == blob { return true }
        guard let bytes = KeyPlace.glance(at: certificate), let line = SSHKeyLine(parsing: bytes) else { return false }
        return (try? SSHCertificate(parsing: line.blob))?.key?.sshBlob == blob
    }

    /// At most 64 KiB of a regular file, whoever may write to it; nil for a link, or what cannot be read.
    private static func glance(at path: String) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var facts = stat()
        guard unsafe fstat(descriptor, &facts) == 0, UInt32(facts.st_mode) & UInt32(S_IFMT) == UInt32(S_IFREG) else { return nil }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        // It fills the array that it is told the size of.
        let count = unsafe read(descriptor, &buffer, buffer.count)
        return count > 0 ? Array(buffer[..<count]) : nil
    }

    /// The public key of the private key file, as an SSH blob; nil where there is none that can be read.
    var privateKeyBlob: [UInt8]? {
        guard let bytes = try? SafeFile.read(privateKey, trust: .rootOrUser(UInt32(geteuid())), limit: 64 << 10) else { return nil }
        return (try? OpenSSHPrivateKeyFile.outline(bytes))?.publicBlob
    }
}
