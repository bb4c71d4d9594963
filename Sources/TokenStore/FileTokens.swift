import Identities
import SafeFiles

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// `~/.opk/tokens/NAME`: mode 0600 in a folder of mode 0700, replaced as a whole (C31). A link, a foreign owner, a file that anybody else may even read:
/// refused.
struct FileTokens: Sendable {
    let folder: String

    /// The folder is made by the first token; here it is only looked at.
    func check() throws(TokenStoreError) {
        do throws(UnsafeFile) {
            guard try SafeFile.checkFolder(of: folder + "/name", trust: trust) else { return }
            try checkMode(folder)
        } catch {
            throw .file(error)
        }
    }

    func write(_ bytes: [UInt8], _ name: IdentityName) throws(TokenStoreError) {
        do throws(WriteFailure) {
            try Folder.create(folder, mode: 0o700)
        } catch {
            throw .writing(error)
        }
        try check()
        do throws(WriteFailure) {
            // A link that stands there is replaced and not followed.
            try AtomicFile.write(bytes + [0x0A], to: path(name), mode: 0o600)
        } catch {
            throw .writing(error)
        }
    }

    func read(_ name: IdentityName) throws(TokenStoreError) -> [UInt8]? {
        do throws(UnsafeFile) {
            guard let bytes = try SafeFile.read(path(name), trust: trust, limit: StoredRefreshToken.largest + 1) else { return nil }
            try checkMode(path(name))
            try checkMode(folder)
            return bytes.last == 0x0A ? bytes.dropLast() : bytes
        } catch {
            throw .file(error)
        }
    }

    func remove(_ name: IdentityName) throws(TokenStoreError) {
        guard unsafe unlink(path(name)) == 0 || errno == ENOENT || errno == ENOTDIR else {
            throw .writing(WriteFailure(path: path(name), errno: errno))
        }
    }

    /// Nobody else may read it: whoever could has copied it by now, and it is not to be used any more.
    private func checkMode(_ path: String) throws(UnsafeFile) {
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0 else { throw UnsafeFile(path, .unreadable(errno: errno)) }
        guard facts.st_uid == geteuid() else { throw UnsafeFile(path, .notTheAccounts(owner: facts.st_uid)) }
        let mode = UInt32(facts.st_mode) & 0o7777
        guard mode & 0o077 == 0 else { throw UnsafeFile(path, .openToOthers(mode: mode)) }
    }

    private var trust: FileTrust { .rootOrUser(UInt32(geteuid())) }
    private func path(_ name: IdentityName) -> String { "\(folder)/\(name.text)" }
}
