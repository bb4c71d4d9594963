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
/// (ssh_config(5)). It leaves out the system's own configuration, before and after alike.
struct Trial {
    /// The person's file as it is.
    let before: String
    /// As it would be.
    let after: String
    private let place: String
    private let files: [(name: String, bytes: [UInt8])]

    /// No login is called so: a name begins with a letter or digit.
    private static let folderName = ".checking"
    private static let (beforeName, afterName) = ("before", "after")

    /// - Parameter folder: `~/.ssh/opk`.
    init(in folder: String, person: [UInt8]?, own: [(name: String, bytes: [UInt8])]) throws(MarkedLines.Disorder) {
        place = Trial.place(in: folder)
        (before, after) = (place + "/" + Trial.beforeName, place + "/" + Trial.afterName)
        let text = try MarkedLines.adding(to: person, including: MarkedLines.usualFolder + "/" + Trial.folderName)
        files = own + [(Trial.beforeName, person ?? []), (Trial.afterName, text)]
    }

    func write() throws(WriteFailure) {
        try Folder.create(place, mode: 0o700)
        for file in files { try AtomicFile.write(file.bytes, to: place + "/" + file.name, mode: 0o600) }
    }

    /// Takes it away, and what one that was killed has left.
    static func remove(from folder: String) {
        let place = place(in: folder)
        for name in OwnFiles.names + [beforeName, afterName] { unsafe unlink(place + "/" + name) }
        unsafe rmdir(place)
    }

    private static func place(in folder: String) -> String { folder + "/" + folderName }
}
