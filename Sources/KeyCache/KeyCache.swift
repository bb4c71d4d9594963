import LibCrypto
public import SafeFiles
public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The folder in which the providers' keys lie, one file an issuer. Whatever is damaged, linked, another's or writable by others is as
/// good as absent.
///
/// A file's name is the SHA-256 of its issuer, and the issuer stands inside again, so that no two issuers can share one (C11).
public struct KeyCache: Sendable {
    public let directory: String
    let trust: FileTrust

    public static let defaultDirectory = "/var/cache/opk"

    /// Files are believed that belong to root or to the folder's owner, where root vouches for that one, else to the user who runs this.
    public init(directory: String = KeyCache.defaultDirectory, trust: FileTrust? = nil) {
        self.directory = directory
        self.trust = trust ?? .rootOrUser(Folder.vouchedOwner(of: directory) ?? geteuid())
    }

    public enum Lookup: Sendable {
        case found(CachedKeys)
        case absent
        /// Something is there and is not used: one sentence that says why.
        case unusable(String)
    }

    public func lookUp(issuer: Text) -> Lookup {
        let path = path(issuer, ".json")
        let record: [UInt8]?
        do {
            record = try SafeFile.read(path, trust: trust, limit: CachedKeys.maximumSize)
        } catch {
            return .unusable("\(error)")
        }
        guard let record else { return .absent }
        guard let keys = CachedKeys(parsing: record, issuer: issuer) else {
            return .unusable("\(Text(path).escaped) is damaged or another issuer's, so it is not used")
        }
        return .found(keys)
    }

    public func read(issuer: Text) -> CachedKeys? {
        if case .found(let keys) = lookUp(issuer: issuer) { keys } else { nil }
    }

    /// Readable by all: a provider's keys are public. What killed writers left is swept away.
    public func write(_ keys: CachedKeys) throws(WriteFailure) {
        Folder.removeAbandoned(in: directory, olderThan: 60)
        try AtomicFile.write(keys.record, to: path(keys.issuer, ".json"), mode: 0o644)
    }

    /// Runs `body` with the issuer's lock in hand, one fetch at a time, or says that it cannot be had.
    public func withLock<Result, Failure: Error>(
        issuer: Text, waitingAtMost milliseconds: Int, stuckAfter patience: Int = .max, _ body: (FileLock.State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try FileLock.attempt(path(issuer, ".lock"), waitingAtMost: milliseconds, stuckAfter: patience, body)
    }

    /// How the last fetch for this issuer ended; nil where none is known, or where it lies in the future: the clock was changed.
    public func lastAttempt(issuer: Text, at now: UnixTime) -> FetchAttempt? {
        guard let bytes = try? SafeFile.read(path(issuer, ".attempt"), trust: trust, limit: FetchAttempt.maximumSize),
            let attempt = FetchAttempt(parsing: bytes), attempt.ended <= now
        else { return nil }
        return attempt
    }

    /// When that was written down, by the clock of the file system; nil where nothing is.
    public func noted(issuer: Text) -> UnixTime? { FileLock.changed(path(issuer, ".attempt")) }

    public func note(_ attempt: FetchAttempt, issuer: Text) throws(WriteFailure) {
        try AtomicFile.write(attempt.record, to: path(issuer, ".attempt"), mode: 0o644)
    }

    private func path(_ issuer: Text, _ ending: String) -> String { directory + "/" + KeyCache.name(issuer) + ending }

    /// Of its files, without the ending.
    static func name(_ issuer: Text) -> String { Digest.sha256Text(issuer.utf8) }
}
