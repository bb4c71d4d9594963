import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where this program lies, said so that it is still true after it was upgraded.
public enum OwnProgram {
    /// The first `opk` in `path` (absolute folders alone) that is this very file: a package manager's link to it outlives the version behind it.
    /// Else the file itself; nil where the system does not say.
    public static func path(searching path: String?) -> String? {
        guard let folder = unsafe opk_own_folder() else { return nil }
        let own = unsafe String(cString: folder) + "opk"
        guard let identity = identity(own) else { return nil }
        let folders = (path ?? "").split(separator: ":").filter { $0.utf8.first == UInt8(ascii: "/") }
        return folders.map { "\($0)/opk" }.first { self.identity($0) == identity } ?? own
    }

    private struct Identity: Equatable {
        let device: UInt64
        let number: UInt64
    }

    private static func identity(_ path: String) -> Identity? {
        var facts = stat()
        guard unsafe stat(path, &facts) == 0 else { return nil }
        return Identity(device: UInt64(facts.st_dev), number: UInt64(facts.st_ino))
    }
}
