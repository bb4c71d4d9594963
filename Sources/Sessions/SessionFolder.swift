public import SafeFiles
internal import Vocabulary

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// `/run/opk/sessions`: a file for each live session, root's alone, gone with the machine's next start as the sessions are.
public struct SessionFolder: Sendable {
    public static let defaultPath = "/run/opk/sessions"

    public let path: String

    public init(_ path: String = SessionFolder.defaultPath) { self.path = path }

    /// Files that are looked at.
    static let mostSessions = 10_000
    /// Bytes of one.
    static let largest = 256 << 10

    public func create() throws(WriteFailure) {
        // What is above is also the socket's of opk-fetch, which others reach.
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex { try Folder.create(String(path[..<slash]), mode: 0o755) }
        try Folder.create(path, mode: 0o700)
    }

    /// Writes the record of a session that has none. What has its name and is no record is replaced.
    ///
    /// - Returns: true for the one caller who wrote it, and who therefore writes that the session began.
    public func add(_ record: SessionRecord) throws(WriteFailure) -> Bool {
        if try PreparedFile(JSONLine.bytes(record.members), for: file(record.id), mode: 0o600).commitFresh() { return true }
        if self.record(record.id) != nil { return false }
        try write(record)
        return true
    }

    /// Writes a record anew where it is still there: a session of which somebody wrote that it is over does not come back.
    public func update(_ record: SessionRecord) throws(WriteFailure) {
        _ = try PreparedFile(JSONLine.bytes(record.members), for: file(record.id), mode: 0o600).commitOver()
    }

    func write(_ record: SessionRecord) throws(WriteFailure) {
        try AtomicFile.write(JSONLine.bytes(record.members), to: file(record.id), mode: 0o600)
    }

    /// Nil where there is none of that id, or what is there is no record that root wrote.
    public func record(_ id: String) -> SessionRecord? {
        guard SessionRecord.isID(id) else { return nil }
        // The user who runs this: root, but in a test.
        let bytes = try? SafeFile.read(file(id), trust: .rootOrUser(geteuid()), limit: SessionFolder.largest)
        return bytes.flatMap { $0 }.flatMap { SessionRecord(parsing: $0, id: id) }
    }

    /// True for the one caller who took it away, and who therefore writes that the session is over.
    public func remove(_ id: String) -> Bool { unsafe unlink(file(id)) == 0 }

    /// All records, by their ids; and the names of files that are none.
    public func records() throws(UnsafeFile) -> (records: [SessionRecord], unreadable: [String]) {
        var records: [SessionRecord] = []
        var unreadable: [String] = []
        for name in try Folder.names(in: path, atMost: SessionFolder.mostSessions) ?? [] where SessionRecord.isID(name) {
            if let record = record(name) { records.append(record) } else if unsafe access(file(name), F_OK) == 0 { unreadable.append(name) }
        }
        return (records, unreadable)
    }

    private func file(_ id: String) -> String { path + "/" + id }
}
