import SafeFiles

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The configuration as it would be, in files that nothing includes: `ssh -F` is asked about it before anything of the person's is written, so
/// that a kill in the middle leaves nothing that counts.
///
/// `ssh -F` reads a file as it reads `~/.ssh/config`: an Include without a `/` in front is looked for in `~/.ssh`, wherever the file itself lies
/// (ssh_config(5)). It leaves out the system's own configuration, which ssh reads after the person's: so both copies include it at their end.
struct Trial {
    /// The person's file as it is.
    let before: String
    /// As it would be.
    let after: String
    private let place: String
    private let files: [(name: String, bytes: [UInt8])]

    /// Where OpenSSH has it on every system that it is packaged for.
    static let system = "/etc/ssh/ssh_config"

    /// No login is called so: a name begins with a letter or digit.
    private static let folderName = ".checking"
    private static let (beforeName, afterName) = ("before", "after")

    /// - Parameter folder: `~/.ssh/opk`.
    /// - Parameter system: the system's ssh_config; it need not be there.
    init(
        in folder: String, person: [UInt8]?, own: [(name: String, bytes: [UInt8])], system: String = Trial.system
    ) throws(MarkedLines.Disorder) {
        place = Trial.place(in: folder)
        (before, after) = (place + "/" + Trial.beforeName, place + "/" + Trial.afterName)
        let text = try MarkedLines.adding(to: person, including: MarkedLines.usualFolder + "/" + Trial.folderName)
        // For every host, whatever block the file ends with.
        let end = Array("\nMatch all\nInclude \(system)\n".utf8)
        files = own + [(Trial.beforeName, (person ?? []) + end), (Trial.afterName, text + end)]
    }

    func write() throws(WriteFailure) {
        for file in files { try AtomicFile.write(file.bytes, to: place + "/" + file.name, mode: 0o600) }
    }

    /// Waits for whoever else tries something there.
    func lock() throws(SetupError) -> TrialLock { try TrialLock(place) }

    /// Takes away what one that was killed has left; what is in somebody's hands stays.
    static func removeAbandoned(from folder: String) {
        guard unsafe access(place(in: folder), F_OK) == 0, let lock = try? TrialLock(place(in: folder), waitingAtMost: 0) else { return }
        defer { lock.release() }
        remove(from: folder)
    }

    static func remove(from folder: String) {
        let place = place(in: folder)
        for name in OwnFiles.names + [beforeName, afterName] { unsafe unlink(place + "/" + name) }
        unsafe rmdir(place)
    }

    private static func place(in folder: String) -> String { folder + "/" + folderName }
}
