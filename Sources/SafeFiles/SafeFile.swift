internal import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file of an administrator, opened once and checked on the open descriptor (POLICY.md, V66): a regular file of a trusted owner,
/// not writable by group or others, with one name and of bounded size, in a folder of which the same holds. A file that is swapped
/// after it was opened is not the file that is read.
///
/// Only the last part of the path must not be a link: who can put a link higher up can replace the folder as well.
public struct SafeFile: ~Copyable {
    /// 256 MiB.
    public static let largest = 256 << 20

    let path: String
    let limit: Int
    let descriptor: Descriptor
    /// Its size when it was opened.
    private let expected: Int

    /// Nil where the file or its folder does not exist.
    public init?(_ path: String, trust: FileTrust, limit: Int = SafeFile.largest) throws(UnsafeFile) {
        guard let parts = FilePath(path) else { throw UnsafeFile(path, .noFileName) }
        guard let folder = Descriptor(unsafe opk_open_folder(parts.folder)) else {
            if errno == ENOENT { return nil }
            throw UnsafeFile(path, .unreadable(errno: errno))
        }
        // Not blocking: a FIFO would else wait for a writer. Not following: ELOOP says that it is a link.
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY
        guard let file = Descriptor(unsafe opk_openat(folder.number, parts.name, flags, 0)) else {
            let number = errno
            if number == ENOENT { return nil }
            throw UnsafeFile(path, number == ELOOP ? .symbolicLink : number == ENXIO ? .notARegularFile : .unreadable(errno: number))
        }
        guard let folderFacts = folder.facts(), let facts = file.facts() else { throw UnsafeFile(path, .unreadable(errno: errno)) }
        if let fault = SafeFile.fault(of: facts, in: folderFacts, trust, limit) { throw UnsafeFile(path, fault) }
        self.path = path
        self.limit = limit
        descriptor = file
        expected = max(Int(facts.st_size), 0)
    }

    /// All of it; nil where it does not exist. The bytes hold no NUL.
    public static func read(_ path: String, trust: FileTrust, limit: Int = SafeFile.largest) throws(UnsafeFile) -> [UInt8]? {
        guard let file = try SafeFile(path, trust: trust, limit: limit) else { return nil }
        return try file.all()
    }

    /// A file that somebody else has opened and checked.
    /// - Parameter size: its size when it was opened.
    init(_ path: String, opened descriptor: consuming Descriptor, size: Int, limit: Int) {
        self.path = path
        self.limit = limit
        self.descriptor = descriptor
        expected = size
    }

    consuming func all() throws(UnsafeFile) -> [UInt8] {
        var bytes: [UInt8] = []
        try eachChunk(of: 64 << 10) { chunk in bytes.append(contentsOf: chunk) }
        return bytes
    }

    /// Calls `body` with each line that can begin with `firstWord`, or with every line, and with its number, counted from 1, without
    /// holding more than a line and a chunk in memory.
    /// Nothing that `body` has seen may be used unless this returns: a NUL anywhere makes the whole file unsafe.
    public consuming func eachLine(
        longest: Int = LineSplitter.longest, beginningWith firstWord: FirstWord? = nil, _ body: (ScannedLine) -> Void
    ) throws(UnsafeFile) {
        var splitter = LineSplitter(longest: longest, beginningWith: firstWord)
        try eachChunk(of: 128 << 10) { chunk in splitter.feed(chunk, body) }
        splitter.finish(body)
    }

    private borrowing func eachChunk(of size: Int, _ body: (ArraySlice<UInt8>) -> Void) throws(UnsafeFile) {
        // No larger than a file that does not grow needs, and one byte in which its end is seen: to touch a page costs more than to read it.
        var buffer = [UInt8](repeating: 0, count: min(size, max(expected + 1, 4 << 10)))
        var total = 0
        while true {
            guard let count = descriptor.read(into: &buffer) else { throw UnsafeFile(path, .unreadable(errno: errno)) }
            if count == 0 { return }
            total += count
            // It may have grown since it was opened.
            if total > limit { throw UnsafeFile(path, .tooLarge(limit: limit)) }
            let chunk = buffer[..<count]
            if chunk.span.offset(of: 0) != nil { throw UnsafeFile(path, .containsNUL) }
            body(chunk)
        }
    }

    private static func fault(of file: stat, in folder: stat, _ trust: FileTrust, _ limit: Int) -> UnsafeFile.Fault? {
        let (mode, folderMode) = (UInt32(file.st_mode) & 0o7777, UInt32(folder.st_mode) & 0o7777)
        if UInt32(file.st_mode) & UInt32(S_IFMT) != UInt32(S_IFREG) { return .notARegularFile }
        if !trust.accepts(owner: file.st_uid) { return .owner(file.st_uid) }
        // An ACL's mask shows in the group bits, so this sees one that lets somebody else write.
        if mode & 0o022 != 0 { return .writableByOthers(mode: mode) }
        // None at all: it was replaced by a rename since it was opened. What was opened is the whole old file, and nobody can reach it.
        if file.st_nlink > 1 { return .hardLinks(count: UInt64(file.st_nlink)) }
        if Int(file.st_size) > limit { return .tooLarge(limit: limit) }
        if !trust.accepts(owner: folder.st_uid) { return .folderOwner(folder.st_uid) }
        // Nor does a sticky bit help: whoever may write there can put a file where we look for one that is absent.
        if folderMode & 0o022 != 0 { return .folderWritableByOthers(mode: folderMode) }
        return nil
    }
}
