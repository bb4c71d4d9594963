import CSystem
public import LibCrypto
public import SSHKeys
import SafeFiles

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A private key and its certificate, ready to be written: they belong together.
public struct CertifiedKey: Sendable {
    public let privateKey: PrivateKey
    public let certificate: SSHCertificate

    /// The private key in openssh-key-v1 form. Secret.
    public func privateKeyFile() throws(LoginError) -> [UInt8] {
        do throws(KeyError) {
            return try OpenSSHPrivateKeyFile.encode(privateKey, comment: KeyPlace.privateKeyComment)
        } catch {
            throw .key(error)
        }
    }

    /// One line, with a line feed.
    public var certificateFile: [UInt8] {
        SSHKeyLine(blob: certificate.blob, type: certificate.type, comment: KeyPlace.certificateComment).bytes
    }

    /// Writes both, replacing what is there, if it is still free or ours.
    ///
    /// Two files cannot be renamed at once, so the order sees to it that a certificate never lies beside a key that is not its own,
    /// whenever the power goes: the old certificate is taken away first, then the private key replaced, then the new certificate
    /// written. What can be left over is a private key alone; its comment says that it is ours, and the next login replaces it.
    /// A lock on the folder keeps two logins from taking turns.
    public func write(to place: KeyPlace) throws(LoginError) {
        let key = try privateKeyFile()
        let folder = place.folder
        try CertifiedKey.prepare(folder)
        let lock = FolderLock(folder)
        defer { lock?.release() }
        if case .somebodyElses(let why) = place.occupancy() { throw .somebodyElses(path: place.privateKey, why: why) }
        for old in [place.certificate, place.publicKey] {
            guard unsafe unlink(old) == 0 || errno == ENOENT else { throw .somebodyElses(path: old, why: systemError(errno)) }
        }
        do throws(WriteFailure) {
            try AtomicFile.write(key, to: place.privateKey, mode: 0o600)
            try AtomicFile.write(certificateFile, to: place.certificate, mode: 0o644)
        } catch {
            throw .writing(error)
        }
    }

    /// Makes the folder (0700) where it lacks; one that others may write to is refused: they could put another key there.
    private static func prepare(_ folder: String) throws(LoginError) {
        do throws(WriteFailure) {
            try Folder.create(folder, mode: 0o700)
        } catch {
            throw .writing(error)
        }
        var facts = stat()
        guard unsafe stat(folder, &facts) == 0 else { throw .folder(path: folder, why: systemError(errno)) }
        guard facts.st_uid == geteuid() || facts.st_uid == 0 else { throw .folder(path: folder, why: "it belongs to somebody else") }
        guard facts.st_mode & 0o022 == 0 else { throw .folder(path: folder, why: "others may write there") }
    }
}

/// An advisory lock on a folder itself, so that no lock file is left in ~/.ssh. Where the file system knows no locks there is none.
private struct FolderLock {
    private let descriptor: Int32

    init?(_ folder: String) {
        descriptor = unsafe opk_open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return nil }
        _ = flock(descriptor, LOCK_EX)
    }

    func release() { _ = close(descriptor) }
}
