import AuditTrail
public import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file of an administrator that commands change: read as the verifier would believe it, changed under a lock, and replaced whole.
///
/// Whoever reads it meanwhile sees the old file or the new one.
public struct PolicyFile: Sendable {
    public let path: String
    public let trust: FileTrust
    /// What it becomes where it is absent.
    let newMode: UInt32
    let newOwner: AtomicFile.Owner?
    /// The home folder of the account whose own file it is, of which more is asked, and whose `.opk` is made, 0700, where it is missing.
    let home: String?
    /// Whether its changes are this machine's, and so for the audit log.
    var isAudited = false

    /// After so many seconds a temporary file is nobody's any more.
    private static let abandonedAfter = 60
    /// How often a change is made anew because somebody without the lock was faster.
    private static let attempts = 20

    /// With its slash.
    private var folder: String {
        let bytes = Array(path.utf8)
        let start = (bytes.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1
        return String(decoding: bytes[..<start], as: UTF8.self)
    }

    /// Nothing where it is absent.
    public func read() throws(PolicyError) -> [UInt8] {
        do throws(UnsafeFile) {
            if let home { return try HomeFile.read(of: geteuid(), home: home) ?? [] }
            return try SafeFile.read(path, trust: trust) ?? []
        } catch { throw .unsafe(error) }
    }

    /// What `body` makes of the text, written in its place; nil leaves it. `body` may be asked again, where somebody else has written the file
    /// between. Nothing of the file is lost, and a failure leaves it as it was.
    ///
    /// - Parameter command: for the audit log.
    func change<Result>(
        as command: String, _ body: ([UInt8]) throws(PolicyError) -> (text: [UInt8]?, result: Result)
    ) throws(PolicyError) -> Result {
        try prepareFolder()
        return try PolicyLock(path).held { () throws(PolicyError) in try changeLocked(command, body) }
    }

    private func changeLocked<Result>(
        _ command: String, _ body: ([UInt8]) throws(PolicyError) -> (text: [UInt8]?, result: Result)
    ) throws(PolicyError) -> Result {
        Folder.removeAbandoned(in: folder, olderThan: PolicyFile.abandonedAfter)
        for _ in 0..<PolicyFile.attempts {
            let version = FileVersion(path)
            let old = try read()
            let (text, result) = try body(old)
            guard let text else { return result }
            if try replace(version, with: text) {
                record(PolicyChangeRecord(command: command, path: path, before: old, after: text))
                return result
            }
        }
        throw .restless(path)
    }

    /// What cannot be recorded stands all the same.
    private func record(_ change: PolicyChangeRecord) {
        guard isAudited, let failure = change.write() else { return }
        let text = "opk: warning: this change is not in the audit log (\(AuditTrail.defaultPath)): \(failure)\nopk: hint: sudo opk audit\n"
        // Reads no more than the bytes; nothing can be done where it fails.
        _ = unsafe Array(text.utf8).withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// False where the file is not that version any more.
    private func replace(_ version: FileVersion?, with text: [UInt8]) throws(PolicyError) -> Bool {
        let limit = home == nil ? SafeFile.largest : HomeFile.limit
        if text.count > limit { throw .unsafe(UnsafeFile(path, .tooLarge(limit: limit))) }
        do throws(WriteFailure) {
            let new = try PreparedFile(
                text, for: path, mode: version?.mode ?? newMode, owner: version.map(owner) ?? newOwner, like: version == nil ? nil : path)
            guard FileVersion(path) == version else { return false }
            try new.commit(replacing: version != nil)
            return true
        } catch {
            if error.alreadyThere && version == nil { return false }
            throw .writing(error)
        }
    }

    /// Nil where the new file has that owner by itself, since not everybody may give files away.
    private func owner(of version: FileVersion) -> AtomicFile.Owner? {
        geteuid() == version.owner.user && getegid() == version.owner.group ? nil : version.owner
    }

    private func prepareFolder() throws(PolicyError) {
        let folder = String(folder.dropLast())
        // All that is on the way to a home file is looked at before anything is made there.
        if home != nil { _ = try read() }
        do throws(UnsafeFile) {
            if try SafeFile.checkFolder(of: path, trust: trust) { return }
        } catch { throw .unsafe(error) }
        guard home != nil else { throw .noFolder(folder) }
        do throws(WriteFailure) { try Folder.create(folder, mode: 0o700) } catch { throw .writing(error) }
    }
}
