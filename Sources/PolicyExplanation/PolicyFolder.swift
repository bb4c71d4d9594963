public import KeyCache
import PKToken
public import Policy
public import SSHKeys
public import SafeFiles
public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The files that opk-verify decides by, read as it reads them and with the same refusals.
public struct PolicyFolder: Sendable {
    public static let standard = "/etc/opk"

    public let path: String
    public let trust: FileTrust
    public let cache: KeyCache

    /// - Parameter path: in another folder than the standard one, files may belong to the user who runs this.
    public init(_ path: String = standard, cacheFolder: String = KeyCache.defaultDirectory) {
        self.path = path
        trust = path == PolicyFolder.standard ? .rootOnly : .rootOrUser(geteuid())
        cache = KeyCache(directory: cacheFolder)
    }

    public func config() throws(Refusal) -> ServerConfig {
        do {
            return try ServerConfig.read(path + "/config.yml", trust: trust)
        } catch {
            throw PolicyFolder.refusal(error)
        }
    }

    public func providers() throws(Refusal) -> Providers {
        do {
            return try Providers.read(path + "/providers", trust: trust)
        } catch {
            throw Refusal(.unsafeFile, "\(error)", step: .providerRow)
        }
    }

    /// All rows of the account and the issuer, whomever they name.
    public func authID(for account: Principal, of issuer: Text) throws(Refusal) -> AuthID {
        do {
            return try AuthID(for: account, of: issuer, at: path + "/auth_id", trust: trust)
        } catch {
            throw Refusal(.unsafeFile, "\(error)")
        }
    }

    /// The rows of the account that are of other issuers.
    func otherRows(for account: Principal, than issuer: Text?) -> [AuthRow] {
        let all = try? AuthID(for: account, at: path + "/auth_id", trust: trust)
        return all?.rows.filter { $0.issuer != issuer } ?? []
    }

    public func revocations(about subject: RevocationSubject) throws(Refusal) -> Revocations {
        do {
            return try Revocations.read(path + "/revoked", trust: trust, about: subject)
        } catch {
            throw PolicyFolder.refusal(error)
        }
    }

    private static func refusal(_ failure: ServerConfig.Failure) -> Refusal {
        switch failure {
        case .unsafe(let file): Refusal(.unsafeFile, "\(file)")
        case .malformed(let path, let error): Refusal(.configuration, "\(Text(path).escaped): \(error)")
        }
    }
}
