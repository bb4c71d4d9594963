internal import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Folder {
    /// Removes what writers left that were killed before their file had its name: regular files called `.opk-….new` that are older than
    /// `seconds`, at most 64 of them. What cannot be removed stays.
    public static func removeAbandoned(in path: String, olderThan seconds: Int) {
        guard let folder = Descriptor(unsafe opk_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)) else { return }
        // fdopendir takes the descriptor that it is given for its own.
        let copy = fcntl(folder.number, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0, let listing = unsafe fdopendir(copy) else {
            if copy >= 0 { close(copy) }
            return
        }
        defer { unsafe closedir(listing) }
        var left = 64
        while left > 0, let entry = unsafe readdir(listing) {
            let name = unsafe PreparedFile.temporaryName(in: entry)
            var facts = stat()
            guard let name, unsafe fstatat(folder.number, name, &facts, AT_SYMLINK_NOFOLLOW) == 0,
                UInt32(facts.st_mode) & UInt32(S_IFMT) == UInt32(S_IFREG), facts.age > seconds
            else { continue }
            unsafe unlinkat(folder.number, name, 0)
            left -= 1
        }
    }
}

extension PreparedFile {
    /// The entry's name, where it is one of ours before it is renamed.
    fileprivate static func temporaryName(in entry: UnsafeMutablePointer<dirent>) -> String? {
        // The system ends the name with NUL inside of the entry.
        let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            unsafe String(cString: UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self))
        }
        return name.hasPrefix(temporaryPrefix) && name.hasSuffix(temporarySuffix) ? name : nil
    }
}

extension stat {
    /// Seconds since it was changed; negative where the clock was set back.
    fileprivate var age: Int {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        #if canImport(Darwin)
            return now.tv_sec - st_mtimespec.tv_sec
        #else
            return now.tv_sec - st_mtim.tv_sec
        #endif
    }
}
