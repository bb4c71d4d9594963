import SafeFiles

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where a trial has its policy, its keys and its configuration of sshd; nothing of the server's own lies there, and nothing reads it but the trial.
struct TrialFolder {
    let path: String

    var config: String { path + "/sshd_config" }
    var log: String { path + "/sshd.log" }
    var said: String { path + "/ssh.log" }

    /// What one that was killed has left is taken away first.
    init(_ places: ServerPlaces) throws(WriteFailure) {
        path = places.trial
        TrialFolder.remove(places)
        for part in ["", "/etc", "/cache", "/state"] { try Folder.create(path + part, mode: 0o755) }
    }

    func write(_ text: String, to name: String) throws(WriteFailure) {
        try AtomicFile.write(Array(text.utf8), to: path + "/" + name, mode: 0o644)
    }

    static func remove(_ places: ServerPlaces) {
        for part in ["/etc", "/cache", "/state", ""] {
            let folder = places.trial + part
            for name in (try? Folder.names(in: folder, atMost: 1000)) ?? [] { unsafe unlink(folder + "/" + name) }
            unsafe rmdir(folder)
        }
    }
}
