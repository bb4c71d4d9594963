internal import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The audit log, open to be appended to. It stays open until it is closed or the process ends.
public struct AuditFile: Sendable {
    public let descriptor: Int32

    init(descriptor: Int32) { self.descriptor = descriptor }

    public func close() {
        #if canImport(Glibc)
            Glibc.close(descriptor)
        #else
            Darwin.close(descriptor)
        #endif
    }

    /// A plain file which belongs to root, to opksshuser or to this process's own user, and which nobody else may write.
    ///
    /// With one name, unless its folder is root's: there nobody else can have put another file in the log's place, and a second name that somebody gave the log
    /// elsewhere (`fs.protected_hardlinks=0` lets anybody) must not be what ends auditing.
    ///
    /// - Parameter folder: asked only where there is a second name.
    func isSafe(inRootsFolder folder: () -> Bool) -> Bool {
        var facts = stat()
        guard unsafe fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG, facts.st_mode & 0o022 == 0,
            facts.st_nlink == 1 || folder()
        else { return false }
        let own = geteuid()
        return facts.st_uid == 0 || facts.st_uid == own || own == 0 && AuditFile.isVerifiers(facts.st_uid)
    }

    /// Whether that user is the one as whom sshd runs opk-verify.
    private static func isVerifiers(_ user: uid_t) -> Bool {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16 << 10)
        // The call writes into `entry` and the buffer, both of which outlive what is read of them.
        guard unsafe getpwuid_r(user, &entry, &buffer, buffer.count, &found) == 0, unsafe found != nil else { return false }
        return unsafe strcmp(entry.pw_name, "opksshuser") == 0
    }

    /// Adds one event, whole or not at all. Once: the file may have been rotated away since it was opened, and is then still read for a day, but not for ever.
    ///
    /// - Parameter first: an event that goes before it, in the same write.
    public func append(_ event: AuditEvent, after first: AuditEvent? = nil, by cause: AuditTrail.Cause = .server) throws(AuditTrail
        .Failure)
    {
        let line = (first?.line ?? []) + event.line
        guard event.line.count <= AuditEvent.longestLine else { throw .tooLong }
        // Reads no more than the bytes.
        let error = unsafe opk_audit_append_line(descriptor, line, line.count, cause.largest, cause.leavesFree)
        switch error {
        case 0: return
        case ENOSPC, EDQUOT, EFBIG: throw .full
        default: throw .unwritable(errno: error)
        }
    }

    /// What is appended if this process is cut short (its time is over, or a mapped file is): `event`, with the time that it is then and, where its step was left
    /// open, the one that is being taken. Nil for nothing.
    public func setLastWords(_ event: AuditEvent?, by cause: AuditTrail.Cause) {
        let parts = event?.aroundTimeAndStep ?? ([], [], [])
        // All are copied, and no more than their lengths.
        unsafe opk_last_words_audit(
            event == nil ? -1 : descriptor, cause.largest, cause.leavesFree, parts.0, parts.0.count, parts.1, parts.1.count, parts.2,
            parts.2.count, event?.openStep == nil ? 0 : 1)
    }
}
