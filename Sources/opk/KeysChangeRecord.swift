import AuditTrail
import FetchSetup
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the audit log says of keys that root had fetched or imported into this machine's cache. The file is opened while this process still is root, since the
/// cache is written as its owner. A timer's renewal, which runs as that owner, is not recorded.
struct KeysChangeRecord {
    private let command: String
    private let file: AuditFile?
    private let failure: AuditTrail.Failure?
    private let actor = AuditActor.current
    private(set) var issuers: [String] = []

    /// - Parameter isSystems: whether the cache is the one that opk-verify reads.
    init(_ command: String, isSystems: Bool) {
        self.command = command
        guard geteuid() == 0, isSystems else {
            (file, failure) = (nil, nil)
            return
        }
        do throws(AuditTrail.Failure) {
            (file, failure) = (try AuditTrail().open(), nil)
        } catch {
            (file, failure) = (nil, error == .notInstalled ? nil : error)
        }
    }

    mutating func add(_ issuer: Text) { issuers.append(issuer.string) }

    /// One event for all of them; none where nothing came.
    func write() {
        guard !issuers.isEmpty else { return }
        do throws(AuditTrail.Failure) {
            if let failure { throw failure }
            var event = AuditEvent(.keysChanged, program: "opk")
            event.set(.actor, actor)
            event.set(.command, "opk keys " + command)
            var change = AuditObject()
            change.set(.action, command == "import" ? "imported" : "fetched")
            change.set(.rows, issuers)
            event.set(.change, change)
            try file?.append(event)
        } catch {
            Terminal.note(
                "opk: warning: this change is not in the audit log (\(AuditTrail.defaultPath)): \(error)\nopk: hint: sudo opk audit")
        }
    }
}
