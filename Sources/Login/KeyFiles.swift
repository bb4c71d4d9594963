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

    /// The plain public key, for ssh's IdentityFile where the private key is not in a file. One line, with a line feed.
    public var publicKeyFile: [UInt8] {
        SSHKeyLine(blob: privateKey.publicKey.sshBlob, type: privateKey.publicKey.sshType, comment: KeyPlace.certificateComment).bytes
    }

    /// Everybody may read a certificate, except one with an access token in it, which opens more than servers.
    var certificateMode: UInt32 {
        certificate.extensionNamed(SSHCertificate.accessTokenExtension) == nil ? 0o644 : 0o600
    }

    /// What is written.
    public struct Parts: Sendable, Hashable {
        /// False where ssh-agent alone holds it: then an old private key of ours is taken away.
        public var privateKey = true
        public var publicKey = false

        public init(privateKey: Bool = true, publicKey: Bool = false) {
            self.privateKey = privateKey
            self.publicKey = publicKey
        }
    }

    /// Writes the certificate and its key, replacing what is there, if it is still free or ours. Until all of it is whole on the disk
    /// nothing of the old is touched.
    ///
    /// Two files cannot be renamed at once, so the order sees to it that a certificate never lies beside a key that is not its own,
    /// whenever the power goes: the old certificate is taken away first, then the private key replaced, then the new certificate
    /// named. What can be left over is a private key alone; its comment says that it is ours, and the next login replaces it.
    /// A lock on the folder keeps two logins from taking turns.
    public func write(to place: KeyPlace, _ parts: Parts = Parts()) throws(LoginError) {
        let key = parts.privateKey ? try privateKeyFile() : nil
        try place.folder.make()
        let lock = FolderLock(place.folder.path)
        defer { lock?.release() }
        Folder.removeAbandoned(in: place.folder.path, olderThan: KeyPlace.writingTakesAtMost)
        if case .somebodyElses(let why) = place.occupancy() { throw .somebodyElses(path: place.privateKey, why: why) }
        let newKey = try CertifiedKey.prepared(key, for: place.privateKey, mode: 0o600)
        let newPublicKey = try CertifiedKey.prepared(parts.publicKey ? publicKeyFile : nil, for: place.publicKey, mode: 0o644)
        let newCertificate = try CertifiedKey.prepared(certificateFile, for: place.certificate, mode: certificateMode)
        for old in [place.publicKey, place.certificate] + (parts.privateKey ? [] : [place.privateKey]) {
            guard unsafe unlink(old) == 0 || errno == ENOENT else { throw .somebodyElses(path: old, why: systemError(errno)) }
        }
        try CertifiedKey.commit(newKey)
        try CertifiedKey.commit(newPublicKey)
        try CertifiedKey.commit(newCertificate)
    }

    /// Nil of nothing.
    private static func prepared(_ bytes: [UInt8]?, for path: String, mode: UInt32) throws(LoginError) -> PreparedFile? {
        guard let bytes else { return nil }
        do throws(WriteFailure) {
            return try PreparedFile(bytes, for: path, mode: mode)
        } catch {
            throw .writing(error)
        }
    }

    private static func commit(_ file: consuming PreparedFile?) throws(LoginError) {
        guard let file else { return }
        do throws(WriteFailure) {
            try file.commit()
        } catch {
            throw .writing(error)
        }
    }
}

/// An advisory lock on a folder itself, so that no lock file is left in ~/.ssh. Where the file system knows no locks there is none; nor
/// is there one where somebody else holds it for longer than a login writes, since anybody who may open the folder could.
struct FolderLock {
    private let descriptor: Int32

    /// In milliseconds.
    private static let patience = 2000

    init?(_ folder: String) {
        descriptor = unsafe opk_open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return nil }
        var left = FolderLock.patience
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK || errno == EINTR, left > 0 {
            usleep(10_000)
            left -= 10
        }
    }

    func release() { _ = close(descriptor) }
}
