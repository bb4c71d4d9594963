public import FetchSetup
public import KeyCache
import Policy
public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A server's keys as its administrator sees them: the folder in which they lie, and what is configured about them.
public struct KeyStore: Sendable {
    public let settings: FetchSettings
    public let cacheFolder: String

    /// Reads the configuration, as the user who runs this.
    public init(
        configFolder: String = FetchSettings.defaultFolder, cacheFolder: String = KeyCache.defaultDirectory
    ) throws(KeysError) {
        for folder in [configFolder, cacheFolder] {
            guard folder.utf8.first == UInt8(ascii: "/"), !folder.utf8.contains(0) else { throw .folder(Text(folder)) }
        }
        do {
            settings = try FetchSettings(folder: configFolder)
        } catch {
            throw KeysError(error)
        }
        self.cacheFolder = cacheFolder
    }

    /// Whose files there are believed depends on who asks: it is made anew after `becomeOwner`.
    public var cache: KeyCache { KeyCache(directory: cacheFolder) }

    /// What must have happened before anything is fetched or written: root has become the cache's owner, and may write there.
    public func becomeOwner() throws(KeysError) {
        guard CacheOwner.become(of: cacheFolder) else { throw .owner(folder: cacheFolder) }
        guard unsafe access(cacheFolder, W_OK | X_OK) == 0 else { throw .unwritable(folder: cacheFolder, errno: errno) }
    }

    /// The same, and what is fetched from now on is fetched with `env_vars`.
    public func becomeFetcher() throws(KeysError) {
        try becomeOwner()
        settings.setEnvironment()
    }

    /// Those that were asked for, which rows of providers must name; all of them where none was.
    public func issuers(_ asked: [Text]) throws(KeysError) -> [Text] {
        guard !asked.isEmpty else { return settings.issuers }
        let unnamed = asked.filter { !settings.isTrusted($0) }
        guard unnamed.isEmpty else { throw .unnamed(unnamed) }
        var seen: Set<Text> = []
        return asked.filter { seen.insert($0).inserted }
    }

    func limits(_ issuer: Text) -> KeyLimits {
        let settings = settings.keySettings(of: issuer)
        return KeyLimits(refreshAfter: settings.refreshAfter.seconds, maximumAge: settings.maximumAge.seconds)
    }
}
