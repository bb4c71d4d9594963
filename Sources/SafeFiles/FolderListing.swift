internal import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Folder {
    /// The names in a folder, sorted by their bytes, at most so many; nil where there is no such folder. Names that are not UTF-8 are left out.
    public static func names(in path: String, atMost limit: Int) throws(UnsafeFile) -> [String]? {
        guard let folder = Descriptor(unsafe opk_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)) else {
            if errno == ENOENT { return nil }
            throw UnsafeFile(path, .unreadable(errno: errno))
        }
        // fdopendir takes the descriptor that it is given for its own.
        let copy = fcntl(folder.number, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0, let listing = unsafe fdopendir(copy) else {
            let number = errno
            if copy >= 0 { close(copy) }
            throw UnsafeFile(path, .unreadable(errno: number))
        }
        defer { unsafe closedir(listing) }
        var names: [String] = []
        while names.count < limit, let entry = unsafe readdir(listing) {
            // The system ends the name with NUL inside of the entry.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe String(validatingCString: UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self))
            }
            if let name, name != ".", name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
