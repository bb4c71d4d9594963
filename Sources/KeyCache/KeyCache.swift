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
    private let trust: FileTrust

    /// Files are believed that belong to root or to the user who runs this.
    public init(directory: String) {
        self.directory = directory
        trust = .rootOrUser(geteuid())
    }

    public func read(issuer: Text) -> CachedKeys? {
        guard let record = try? SafeFile.read(path(issuer, ".json"), trust: trust, limit: CachedKeys.maximumSize) else { return nil }
        return CachedKeys(parsing: record, issuer: issuer)
    }

    /// Readable by all: a provider's keys are public.
    public func write(_ keys: CachedKeys) throws(WriteFailure) {
        try AtomicFile.write(keys.record, to: path(keys.issuer, ".json"), mode: 0o644)
    }

    /// Held while fetching for this issuer: one fetch at a time. Nil where another still fetches after `milliseconds`.
    public func lock(issuer: Text, waitingAtMost milliseconds: Int) throws(WriteFailure) -> FileLock? {
        try FileLock(path(issuer, ".lock"), waitingAtMost: milliseconds)
    }

    /// When keys of this issuer were last asked for, whether or not any came.
    public func lastAttempt(issuer: Text) -> UnixTime? {
        guard let bytes = try? SafeFile.read(path(issuer, ".attempt"), trust: trust, limit: 32),
            let seconds = Int64(String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self))
        else { return nil }
        return UnixTime(seconds: seconds)
    }

    public func noteAttempt(issuer: Text, at now: UnixTime) throws(WriteFailure) {
        try AtomicFile.write(Array("\(now.seconds)\n".utf8), to: path(issuer, ".attempt"), mode: 0o644)
    }

    private func path(_ issuer: Text, _ ending: String) -> String {
        let digest = Digest.sha256(issuer.utf8).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
        return directory + "/" + digest + ending
    }
}
