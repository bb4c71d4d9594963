internal import CSystem
public import JOSE
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// `opk permissions fix`: gives everything that is off the owner and mode that the installation gives. Each is opened first, without following a
/// link anywhere on its way, and changed by its descriptor: what is put into its place meanwhile is not touched.
public struct PermissionFix: Sendable {
    public let steps: [Step]
    /// What no change of owner or mode mends: links, second names, what is not there.
    public let refused: [PermissionCheck.Item]

    public struct Step: Sendable {
        public let expected: ExpectedPermission

        /// `chown root:opksshuser /etc/opk/auth_id; chmod 0640 /etc/opk/auth_id`
        public var command: String {
            let path = shellWord(expected.path)
            return "chown \(expected.owner)\(expected.group.map { ":" + $0 } ?? "") \(path); chmod \(octalText(expected.mode)) \(path)"
        }
    }

    public init(_ check: PermissionCheck) {
        var (steps, refused): ([Step], [PermissionCheck.Item]) = ([], [])
        for item in check.faults {
            if let facts = item.facts, facts.kind == (item.expected.isFolder ? .folder : .file), item.expected.isFolder || facts.links == 1
            {
                steps.append(Step(expected: item.expected))
            } else {
                refused.append(item)
            }
        }
        (self.steps, self.refused) = (steps, refused)
    }

    /// Does one step: nil, or one sentence that says why it could not be done.
    public func apply(_ step: Step) -> String? {
        let expected = step.expected
        guard let owner = expected.ownerID else { return "there is no account \(expected.owner)" }
        // This number leaves the group as it is.
        var group = gid_t.max
        if let name = expected.group {
            guard let id = expected.groupID else { return "there is no group \(name)" }
            group = id
        }
        let number: Int32
        switch PermissionFix.open(expected.path) {
        case .opened(let descriptor): number = descriptor
        case .refused(let why): return why
        }
        defer { close(number) }
        var facts = stat()
        guard unsafe fstat(number, &facts) == 0 else { return PermissionFix.text(errno) }
        let found = FileFacts(facts)
        // As it was when it was looked at: another may have come into its place.
        guard found.kind == (expected.isFolder ? .folder : .file), expected.isFolder || found.links == 1 else {
            return "it is another now than when it was looked at"
        }
        // The mode first where that takes rights away, so that no new owner's group has them for a moment; chown clears set-id bits.
        guard fchmod(number, mode_t(found.mode & expected.mode)) == 0, fchown(number, owner, group) == 0,
            fchmod(number, mode_t(expected.mode)) == 0
        else { return PermissionFix.text(errno) }
        return nil
    }

    private enum Opening {
        case opened(Int32)
        case refused(String)
    }

    /// Part by part, and no part a link. What root changes lies on a way that nobody but root can turn elsewhere meanwhile.
    private static func open(_ path: String) -> Opening {
        var parts = path.split(separator: "/").map(String.init)
        guard path.hasPrefix("/"), let name = parts.popLast() else { return .refused("this is not the path of a file") }
        let isRoot = geteuid() == 0
        var folder = unsafe opk_open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        for part in parts {
            guard folder >= 0 else { return .refused(text(errno)) }
            let next = unsafe opk_openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
            let number = errno
            close(folder)
            guard next >= 0 else {
                return .refused(
                    number == ELOOP || number == ENOTDIR ? "\(Text(part).escaped), on its way, is no folder but a link" : text(number))
            }
            var facts = stat()
            let isRoots =
                unsafe fstat(next, &facts) == 0 && facts.st_uid == 0 && (facts.st_mode & 0o022 == 0 || facts.st_mode & 0o1000 != 0)
            if isRoot && !isRoots {
                close(next)
                return .refused("\(Text(part).escaped), on its way, may be changed by others than root: let them do it themselves")
            }
            folder = next
        }
        guard folder >= 0 else { return .refused(text(errno)) }
        defer { close(folder) }
        let number = unsafe opk_openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0)
        return number >= 0 ? .opened(number) : .refused(errno == ELOOP ? "it is a symbolic link" : text(errno))
    }

    private static func text(_ number: Int32) -> String {
        // Copied before anything else can ask for a text.
        unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
    }

    /// One line for each that cannot be mended here.
    public var refusedLines: [String] {
        refused.map { item in
            "\(Text(item.expected.path).escaped): \(Text(item.fault ?? "").escaped): not touched"
        }
    }

    /// opkssh's members (planned, errors, dryRun), and what was changed.
    public func json(changed: [Step], errors: [String], isDryRun: Bool) -> JSON {
        var object = JSONObject()
        object["planned"] = .array(steps.map { .string(Text($0.command)) })
        object["changed"] = .array(changed.map { .string(Text($0.expected.path)) })
        object["errors"] = .array((errors + refusedLines).map { .string(Text($0)) })
        object["dryRun"] = .bool(isDryRun)
        return .object(object)
    }
}
