import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Whether keys are fetched by a user of their own, so that neither a plugin nor a verifier that was taken over can plant a provider's key:
/// the owner of the cache folder is who fetches.
public enum FetcherUser: Hashable, Sendable {
    /// Somebody else than the verifier's user.
    case own(String)
    /// The verifier's user itself.
    case verifier(String)
    case root
    /// Whose the folder is can be told, but not who the verifier is.
    case unknownVerifier(owner: String)
    /// A link, or in a folder where others could put it.
    case unvouched
    case noFolder

    /// The user as which sshd runs opk-verify (AuthorizedKeysCommandUser of sshd_config.d/60-opk.conf).
    public static let verifierUser = "opksshuser"

    public init(cacheFolder: String, verifier: String = FetcherUser.verifierUser) {
        var facts = stat()
        guard unsafe lstat(cacheFolder, &facts) == 0 else {
            self = .noFolder
            return
        }
        guard let owner = Folder.vouchedOwner(of: cacheFolder) else {
            self = .unvouched
            return
        }
        if owner == 0 {
            self = .root
        } else if let user = FetcherUser.id(of: verifier) {
            self = owner == user ? .verifier(verifier) : .own(FetcherUser.name(of: owner))
        } else {
            self = .unknownVerifier(owner: FetcherUser.name(of: owner))
        }
    }

    /// Nil where it cannot be told.
    public var isSeparate: Bool? {
        switch self {
        case .own: true
        case .verifier, .unvouched: false
        case .root, .unknownVerifier, .noFolder: nil
        }
    }

    var user: String? {
        switch self {
        case .own(let name), .verifier(let name), .unknownVerifier(owner: let name): name
        case .root: "root"
        case .unvouched, .noFolder: nil
        }
    }

    /// Nothing is there by which opk-verify could ask that user: no socket, and no rule of sudoers. False where that cannot be looked at.
    private static var isOutOfReach: Bool {
        ["/run/opk/fetch.socket", "/etc/sudoers.d/opk"].allSatisfy { path in
            var facts = stat()
            return unsafe lstat(path, &facts) != 0 && errno == ENOENT
        }
    }

    private static let outOfReach =
        "But opk-verify has no way to ask for them: neither opk-fetch.socket (systemctl start opk-fetch.socket) nor /etc/sudoers.d/opk is here, "
        + "so only `opk keys refresh` and its timer renew them."

    /// What that means, and how to have it better.
    public func sentence(cacheFolder: String) -> String {
        let folder = Text(cacheFolder).escaped
        let remedy = "`make install` gives the fetcher its own user (opkfetch)."
        return switch self {
        case .own(let name):
            "Keys are fetched by a user of their own, \(name): neither opk-verify nor a plugin can write them."
                + (FetcherUser.isOutOfReach ? " " + FetcherUser.outOfReach : "")
        case .verifier(let name):
            "The fetcher has no user of its own: \(folder) belongs to \(name), who runs opk-verify too, so whoever takes that or a plugin over "
                + "could plant a provider's key. " + remedy
        case .root: "\(folder) belongs to root, so only root can renew the keys, and no login can. " + remedy
        case .unknownVerifier(let owner):
            "\(folder) belongs to \(owner). Whether opk-verify runs as another user cannot be told: there is no \(FetcherUser.verifierUser) here."
        case .unvouched:
            "The fetcher has no user of its own: \(folder) is a link, or others than root can write the folder above it. " + remedy
        case .noFolder: "There is no \(folder): no keys can be kept. `make install` makes it."
        }
    }

    private static func id(of name: String) -> UInt32? {
        guard let entry = unsafe getpwnam(name) else { return nil }
        return unsafe entry.pointee.pw_uid
    }

    private static func name(of user: UInt32) -> String {
        // The entry lives until the next question of this kind; the name is copied at once.
        guard let entry = unsafe getpwuid(user), let name = unsafe entry.pointee.pw_name else { return "user id \(user)" }
        return Text(unsafe String(cString: name)).escaped
    }
}
