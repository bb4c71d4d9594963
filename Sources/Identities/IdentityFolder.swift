public import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// `~/.opk/identities`: one file for each login of this laptop, `NAME.json`, mode 0600, in a folder of mode 0700. Whole or not at all.
public struct IdentityFolder: Sendable {
    public let path: String

    /// Bytes; one of ours has less than a thousand.
    static let largest = 64 << 10
    /// More than anybody has.
    static let most = 1000

    /// - Parameter home: the person's `~/.opk`.
    public init(below home: String) {
        path = home + "/identities"
    }

    public struct Listing: Sendable {
        /// By name.
        public var identities: [StoredIdentity] = []
        /// Files that are there and cannot be used, a sentence each.
        public var problems: [String] = []
    }

    public func list() -> Listing {
        var listing = Listing()
        do throws(UnsafeFile) {
            for file in try Folder.names(in: path, atMost: IdentityFolder.most) ?? [] {
                guard file.hasSuffix(".json"), let name = IdentityName(Text(String(file.dropLast(5)))) else { continue }
                do throws(UnsafeFile) {
                    if let identity = try read(name) { listing.identities.append(identity) }
                } catch {
                    listing.problems.append("\(error)")
                }
            }
        } catch {
            listing.problems.append("\(error)")
        }
        listing.identities.sort { $0.name < $1.name }
        return listing
    }

    /// Nil where there is none of this name, or what is there is not one of ours (an interrupted or newer version's).
    public func read(_ name: IdentityName) throws(UnsafeFile) -> StoredIdentity? {
        guard let bytes = try SafeFile.read(file(name), trust: .rootOrUser(UInt32(geteuid())), limit: IdentityFolder.largest) else {
            return nil
        }
        return StoredIdentity(parsing: bytes, name: name)
    }

    public func write(_ identity: StoredIdentity) throws(WriteFailure) {
        try Folder.create(path, mode: 0o700)
        try AtomicFile.write(identity.encoded(), to: file(identity.name), mode: 0o600)
    }

    /// No error where there is none.
    public func remove(_ name: IdentityName) throws(WriteFailure) {
        guard unsafe unlink(file(name)) == 0 || errno == ENOENT else { throw WriteFailure(path: file(name), errno: errno) }
    }

    private func file(_ name: IdentityName) -> String { path + "/\(name.text).json" }
}
