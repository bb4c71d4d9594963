import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A program that an administrator named, and why it may not be run.
public struct UntrustedProgram: Error, Hashable, Sendable {
    /// The file, folder or link at which the check ended.
    public let path: String
    public let fault: Fault

    public enum Fault: Hashable, Sendable {
        case notAbsolute
        case containsNUL
        case notAFolder
        case notARegularFile
        case owner(UInt32)
        /// The permission bits of a folder, 0 to 0o777.
        case writableByOthers(mode: UInt32)
        /// The permission bits of the program, 0 to 0o777.
        case mode(UInt32)
        case tooManyLinks
        /// A system call failed with this errno.
        case unreadable(errno: Int32)
    }
}

/// Programs that only a trusted owner can have put where they are, and can change.
///
/// Looked at by path, with lstat(2) for each part, and run by path a moment later: whoever could swap something in between is the owner
/// who is trusted, since nobody else may write to any folder on the way.
public enum TrustedProgram {
    /// As opkssh wants them (permission bits without set-id and sticky).
    public static let modes: [UInt32] = [0o755, 0o555]
    /// Links on the whole way. `/bin` is one on most systems, and `/usr/bin/python3`.
    static let maximumLinks = 8

    /// Throws unless the path is absolute and every folder, link and the file itself belong to a trusted owner, no folder may be written by
    /// group or others, and the file is a regular one of mode 0755 or 0555. Links are followed by hand, so that what they
    /// lead to goes through the same checks.
    public static func check(_ path: String, trust: FileTrust) throws(UntrustedProgram) {
        guard path.utf8.first == slash else { throw UntrustedProgram(path: path, fault: .notAbsolute) }
        guard !path.utf8.contains(0) else { throw UntrustedProgram(path: path, fault: .containsNUL) }
        // Behind each other: the parts that are still to be gone. A path that has been gone has neither links nor `..` in it.
        var ahead = parts(Array(path.utf8))
        var gone: [[UInt8]] = []
        var links = 0
        try checkFolder(try facts("/"), "/", trust)
        guard !ahead.isEmpty else { throw UntrustedProgram(path: path, fault: .notARegularFile) }
        while !ahead.isEmpty {
            let part = ahead.removeFirst()
            if part == [dot, dot] {
                _ = gone.popLast()
                if ahead.isEmpty { throw UntrustedProgram(path: path, fault: .notARegularFile) }
                continue
            }
            let here = join(gone + [part])
            let facts = try facts(here)
            guard trust.accepts(owner: facts.st_uid) else { throw UntrustedProgram(path: here, fault: .owner(facts.st_uid)) }
            switch UInt32(facts.st_mode) & UInt32(S_IFMT) {
            case UInt32(S_IFLNK):
                links += 1
                if links > maximumLinks { throw UntrustedProgram(path: path, fault: .tooManyLinks) }
                let target = try target(of: here)
                if target.first == slash { gone = [] }
                ahead = parts(target) + ahead
                if ahead.isEmpty { throw UntrustedProgram(path: here, fault: .notARegularFile) }
            case UInt32(S_IFDIR) where !ahead.isEmpty:
                try checkFolder(facts, here, trust)
                gone.append(part)
            case UInt32(S_IFREG) where ahead.isEmpty:
                let mode = UInt32(facts.st_mode) & 0o777
                guard modes.contains(mode) else { throw UntrustedProgram(path: here, fault: .mode(mode)) }
            default: throw UntrustedProgram(path: here, fault: ahead.isEmpty ? .notARegularFile : .notAFolder)
            }
        }
    }

    private static func checkFolder(_ facts: stat, _ path: String, _ trust: FileTrust) throws(UntrustedProgram) {
        guard trust.accepts(owner: facts.st_uid) else { throw UntrustedProgram(path: path, fault: .owner(facts.st_uid)) }
        let mode = UInt32(facts.st_mode) & 0o777
        // An ACL's mask shows in the group bits.
        if mode & 0o022 != 0 { throw UntrustedProgram(path: path, fault: .writableByOthers(mode: mode)) }
    }

    private static func facts(_ path: String) throws(UntrustedProgram) -> stat {
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0 else { throw UntrustedProgram(path: path, fault: .unreadable(errno: errno)) }
        return facts
    }

    private static func target(of link: String) throws(UntrustedProgram) -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: 4096)
        // Writes at most so many bytes into a buffer that outlives the call.
        let count = unsafe readlink(link, &buffer, buffer.count)
        guard count > 0, count < buffer.count else {
            throw UntrustedProgram(path: link, fault: .unreadable(errno: count < 0 ? errno : ENAMETOOLONG))
        }
        return buffer[..<count].map { UInt8(bitPattern: $0) }
    }

    private static func parts(_ path: [UInt8]) -> [[UInt8]] {
        path.split(separator: slash).map { Array($0) }.filter { $0 != [dot] }
    }

    private static func join(_ parts: [[UInt8]]) -> String {
        parts.map { "/" + String(decoding: $0, as: UTF8.self) }.joined()
    }
}

private let slash = UInt8(ascii: "/")
private let dot = UInt8(ascii: ".")

extension UntrustedProgram: CustomStringConvertible {
    /// One sentence for the administrator, with the command that helps where there is one.
    public var description: String {
        let name = Text(path).escaped(limit: 256)
        switch fault {
        case .notAbsolute: return "\(name) is not an absolute path"
        case .containsNUL: return "\(name) contains a NUL"
        case .notAFolder: return "\(name) is not a folder"
        case .notARegularFile: return "\(name) is not a regular file"
        case .owner(let user): return "\(name) belongs to user id \(user), who is not trusted here (chown root)"
        case .writableByOthers(let mode): return "\(name) may be written by its group or by others (mode \(octal(mode)); chmod go-w)"
        case .mode(let mode): return "\(name) has mode \(octal(mode)), and must have 0755 or 0555 (chmod 0755)"
        case .tooManyLinks: return "\(name) goes over more than \(TrustedProgram.maximumLinks) links"
        case .unreadable(let number): return "\(name) cannot be looked at: \(systemErrorText(number))"
        }
    }
}
