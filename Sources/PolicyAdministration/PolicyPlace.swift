public import Policy
public import SSHKeys
import SafeFiles
public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Whose policy a command is about: the machine's, or that of the account of whoever runs it.
public struct PolicyPlace: Sendable {
    public enum Kind: Hashable, Sendable {
        /// `/etc/opk`, or another folder that was named.
        case system
        /// `~/.opk`, whose rows count for this account alone.
        case home(Principal)
    }

    public let kind: Kind
    public let folder: String
    private let home: String?
    /// Whether accounts are this machine's, which another folder than the usual one does not tell.
    public let isThisMachine: Bool

    public static let defaultFolder = "/etc/opk"
    /// The group as which sshd runs opk-verify, whose the policy is to read.
    static let readers = "opksshuser"

    /// - Parameter configFolder: nil: `/etc/opk` for root, `~/.opk` for everybody else. The home folder is the user database's, which is also where
    ///   opk-home looks.
    public init(configFolder: String?) throws(PolicyError) {
        if let configFolder {
            guard configFolder.utf8.first == UInt8(ascii: "/"), !configFolder.utf8.contains(0) else { throw .folder(Text(configFolder)) }
            self.init(system: configFolder)
        } else if geteuid() == 0 {
            self.init(system: PolicyPlace.defaultFolder, isThisMachine: true)
        } else {
            guard let entry = unsafe getpwuid(geteuid()), let home = unsafe entry.pointee.pw_dir, let name = unsafe entry.pointee.pw_name,
                let account = Principal(Text(unsafe String(cString: name)))
            else { throw .noHome }
            let path = unsafe String(cString: home)
            guard path.utf8.first == UInt8(ascii: "/"), path != "/", unsafe access(path, F_OK) == 0 else { throw .noHome }
            self.init(home: path, of: account)
        }
    }

    init(system folder: String, isThisMachine: Bool = false) {
        kind = .system
        home = nil
        self.folder = folder
        self.isThisMachine = isThisMachine
    }

    /// - Parameter home: the account's home folder.
    init(home: String, of account: Principal) {
        kind = .home(account)
        folder = home + "/.opk"
        self.home = home
        isThisMachine = true
    }

    public var authID: PolicyFile { file("auth_id") }

    public func revoked() throws(PolicyError) -> PolicyFile { try systemFile("revoked") }

    /// A file of the whole machine.
    public func systemFile(_ name: String) throws(PolicyError) -> PolicyFile {
        guard kind == .system else { throw .onlySystem("/etc/opk/\(name)") }
        return file(name)
    }

    private func file(_ name: String) -> PolicyFile {
        let path = folder + "/" + name
        guard kind == .system else {
            return PolicyFile(path: path, trust: .rootOrUser(geteuid()), newMode: 0o600, newOwner: nil, home: home)
        }
        let readers = geteuid() == 0 ? PolicyPlace.readersGroup : nil
        return PolicyFile(
            path: path, trust: trust, newMode: readers == nil ? 0o644 : 0o640,
            newOwner: readers.map { AtomicFile.Owner(user: 0, group: $0) },
            home: nil, isAudited: geteuid() == 0 && folder == PolicyPlace.defaultFolder)
    }

    private var trust: FileTrust { folder == PolicyPlace.defaultFolder ? .rootOnly : .rootOrUser(geteuid()) }

    private static var readersGroup: UInt32? {
        guard let entry = unsafe getgrnam(readers) else { return nil }
        return unsafe entry.pointee.gr_gid
    }

    /// What this place's auth_id says, read as the verifier reads it.
    ///
    /// - Parameter account: rows that are for this one, by name or `*`; nil: all of them.
    public func rows(of text: [UInt8], for account: Text? = nil) -> AuthID {
        switch kind {
        // An account that is none, `*` for one, has no rows of its own: they are looked for among all.
        case .system: AuthID(parsing: text, for: account.flatMap(Principal.init))
        case .home(let account): AuthID(home: text, of: account)
        }
    }

    /// config.yml and revoked; nil where they cannot be read.
    public var config: ServerConfig? { try? ServerConfig.read(folder + "/config.yml", trust: trust) }
    public var revocations: Revocations? { try? Revocations.read(folder + "/revoked", trust: trust, about: nil) }

    /// The rows of providers; nil where they are not for the user who asks, or cannot be read.
    public var providers: Providers? {
        let folder = kind == .system ? folder : PolicyPlace.defaultFolder
        return try? Providers.read(folder + "/providers", trust: folder == PolicyPlace.defaultFolder ? .rootOnly : trust)
    }

    /// Whether an account of that name is here.
    public static func knows(_ account: Text) -> Bool { unsafe getpwnam(account.string) != nil }
}
