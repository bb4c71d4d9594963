import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file that is there and must not be used: which one, and what is wrong with it. Absence is not a fault.
public struct UnsafeFile: Error, Hashable, Sendable {
    public let path: String
    public let fault: Fault

    public init(_ path: String, _ fault: Fault) {
        self.path = path
        self.fault = fault
    }

    public enum Fault: Hashable, Sendable {
        case symbolicLink
        case notARegularFile
        case owner(UInt32)
        /// The permission bits, 0 to 0o7777.
        case writableByOthers(mode: UInt32)
        case hardLinks(count: UInt64)
        /// Over `limit` bytes.
        case tooLarge(limit: Int)
        case containsNUL
        case folderOwner(UInt32)
        case folderWritableByOthers(mode: UInt32)
        /// A file in the place of a folder.
        case notAFolder
        /// Neither root's, where that will do, nor the account's: of a file in its home, and of all on the way to it.
        case notTheAccounts(owner: UInt32)
        /// Group or others may read, write or run what is for the account alone.
        case openToOthers(mode: UInt32)
        /// The path does not end in the name of a file.
        case noFileName
        /// A system call failed with this errno.
        case unreadable(errno: Int32)
    }
}

extension UnsafeFile: CustomStringConvertible {
    /// One sentence for the administrator, with the command that helps where there is one.
    public var description: String {
        let name = Text(path).escaped
        switch fault {
        case .symbolicLink: return "\(name) is a symbolic link: put the file itself there"
        case .notARegularFile: return "\(name) is not a regular file"
        case .owner(let user): return "\(name) belongs to user id \(user), who is not trusted here (chown root)"
        case .writableByOthers(let mode): return "\(name) may be written by its group or by others (mode \(octal(mode)); chmod go-w)"
        case .hardLinks(let count): return "\(name) has \(count) names (hard links), so it can be changed under another"
        case .tooLarge(let limit): return "\(name) is over \(limit) bytes"
        case .containsNUL: return "\(name) contains a NUL byte, so it is not a text file"
        case .folderOwner(let user): return "the folder of \(name) belongs to user id \(user), who is not trusted here (chown root)"
        case .folderWritableByOthers(let mode):
            return "the folder of \(name) may be written by its group or by others (mode \(octal(mode)); chmod go-w)"
        case .notAFolder: return "\(name) is not a folder"
        case .notTheAccounts(let user): return "\(name) belongs to user id \(user), not to the account"
        case .openToOthers(let mode): return "\(name) must be for the account alone (mode \(octal(mode)); chmod 600)"
        case .noFileName: return "\(name) does not name a file"
        case .unreadable(let number): return "\(name) cannot be read: \(systemErrorText(number))"
        }
    }
}

func octal(_ mode: UInt32) -> String {
    let digits = String(mode, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
}

/// What the system calls this errno, in the C locale: "Permission denied".
func systemErrorText(_ number: Int32) -> String {
    // strerror_r fills the buffer or answers with a constant, depending on the platform; strerror's answer is copied at once.
    guard let text = unsafe strerror(number) else { return "error \(number)" }
    return unsafe String(cString: text)
}
