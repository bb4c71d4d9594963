import JOSE
import LibCrypto
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The files that decide who comes in, and what was in them: how a change that was made without opk is seen.
public struct PolicyWatch: Sendable {
    public let folder: String

    public init(folder: String) { self.folder = folder }

    /// The digest of a file's bytes in hexadecimal; `absent`, or `unreadable` for what is no such file.
    public typealias Digests = [String: String]

    public struct Change: Hashable, Sendable {
        public let path: String
        public let before: String
        public let after: String
    }

    static let files = ["providers", "auth_id", "config.yml", "revoked"]

    public func digests() -> Digests {
        var digests: Digests = [:]
        for path in PolicyWatch.files.map({ folder + "/" + $0 }) + plugins() { digests[path] = digest(path) }
        return digests
    }

    /// Of `policy.d`: the plugins' files.
    private func plugins() -> [String] {
        let plugins = folder + "/policy.d"
        let names = (try? Folder.names(in: plugins, atMost: 1024)) ?? []
        return names.filter { $0.utf8.suffix(4).elementsEqual(".yml".utf8) }.sorted().map { plugins + "/" + $0 }
    }

    private func digest(_ path: String) -> String {
        let bytes: [UInt8]?
        do throws(UnsafeFile) {
            bytes = try SafeFile.read(path, trust: folder == "/etc/opk" ? .rootOnly : .rootOrUser(geteuid()))
        } catch {
            // What of it cannot be trusted nobody is admitted by; why it is so says opk audit.
            return "unreadable"
        }
        guard let bytes else { return "absent" }
        return Digest.sha256Text(bytes)
    }

    /// In the order of their paths.
    public static func changes(from before: Digests, to after: Digests) -> [Change] {
        Set(before.keys).union(after.keys).sorted().compactMap { path in
            let (old, new) = (before[path] ?? "absent", after[path] ?? "absent")
            return old == new ? nil : Change(path: path, before: old, after: new)
        }
    }
}
