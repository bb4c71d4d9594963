internal import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Confinement {
    public enum State: Sendable, Hashable {
        /// By Landlock of this version.
        case restricted(version: Int)
        /// This kernel has no Landlock, or a container hides it. New privileges are given up all the same.
        case unavailable
    }

    /// The kernel has Landlock, and yet the process could not be restricted.
    public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        public let errno: Int32

        public var description: String {
            // The text is copied before anything else can ask for one.
            unsafe strerror(errno).map { unsafe String(cString: $0) } ?? "error \(errno)"
        }
    }

    /// From here on this process and its children gain no privileges (sudo refuses to run) and reach only what `access` names.
    ///
    /// A kernel without Landlock is no error: nothing was ever promised there. One that has it and fails is: the process is then not what its
    /// administrator believes it to be, and it has not looked at anything hostile yet.
    @discardableResult
    public static func restrict(_ access: Access) throws(Failure) -> State {
        guard opk_no_new_privileges() == 0 else { throw Failure(errno: errno) }
        if !access.mayStartProcesses { opk_forbid_new_processes() }
        let version = opk_landlock_abi()
        guard version > 0 else { return .unavailable }
        let ruleset = opk_landlock_ruleset(version, access.mayConnect ? 1 : 0)
        guard ruleset >= 0 else { throw Failure(errno: errno) }
        defer { close(ruleset) }
        try allow(access.read, read, ruleset, version)
        try allow(access.run, read | OPK_FS_EXECUTE, ruleset, version)
        try allow(access.change, change, ruleset, version)
        try allow(access.manage, change | OPK_FS_TRUNCATE | OPK_FS_MAKE_FILE | OPK_FS_REMOVE_FILE, ruleset, version)
        guard opk_landlock_restrict(ruleset) == 0 else { throw Failure(errno: errno) }
        return .restricted(version: Int(version))
    }

    private static var read: UInt64 { OPK_FS_READ_FILE | OPK_FS_READ_DIRECTORY }
    private static var change: UInt64 { read | OPK_FS_WRITE_FILE }

    private static func allow(_ paths: [String], _ rights: UInt64, _ ruleset: Int32, _ version: Int32) throws(Failure) {
        for path in paths {
            // The path is not kept by the call.
            guard unsafe opk_landlock_allow(ruleset, version, path, rights) == 0 else { throw Failure(errno: errno) }
        }
    }
}
