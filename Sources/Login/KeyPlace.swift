import ChildProcess
import SSHKeys
import SafeFiles
public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where a key pair lies: a private key, and beside it the certificate, where ssh looks for it by itself.
public struct KeyPlace: Hashable, Sendable {
    public let privateKey: String
    public var certificate: String { privateKey + "-cert.pub" }
    /// The folder of the three.
    var folder: KeyFolder { KeyFolder(holding: privateKey) }
    /// Not written beside a private key that ssh finds by itself; ssh would prefer it to what that says.
    var publicKey: String { privateKey + ".pub" }

    public init(_ path: String) {
        privateKey = path
    }

    /// Seconds: what is older and has no name of its own yet was left by a writer that was killed.
    static let writingTakesAtMost = 60

    /// Whose the files there are.
    public enum Occupancy: Equatable, Sendable {
        case free
        /// Ours or opkssh's, to be replaced.
        case ours
        case somebodyElses(why: String)
    }

    /// What opk puts behind a certificate, to know it again; opkssh writes the same.
    public static let certificateComment: Text = "openpubkey"
    /// And into the private key, as opkssh does.
    static let privateKeyComment: Text = "openpubkey cert"

    /// Nothing there is followed, opened for writing or trusted: a link, a foreign owner, a file that cannot be read is somebody else's.
    public func occupancy() -> Occupancy {
        do throws(UnsafeFile) {
            // A file of ours is small; a limit keeps a foreign one from being read whole.
            let trust = FileTrust.rootOrUser(UInt32(geteuid()))
            let keyFile = try SafeFile.read(privateKey, trust: trust, limit: 64 << 10)
            let certificateFile = try SafeFile.read(certificate, trust: trust, limit: 1 << 20)
            let publicFile = try SafeFile.read(publicKey, trust: trust, limit: 1 << 20)
            if keyFile == nil, certificateFile == nil, publicFile == nil { return .free }
            return KeyPlace.judge(keyFile, certificateFile, publicFile)
        } catch {
            return .somebodyElses(why: "\(error)")
        }
    }

    private static func judge(_ keyFile: [UInt8]?, _ certificateFile: [UInt8]?, _ publicFile: [UInt8]?) -> Occupancy {
        var certificate: SSHKeyLine?
        if let certificateFile {
            guard let line = SSHKeyLine(parsing: certificateFile), isOurs(line.comment) else {
                return .somebodyElses(why: "the certificate beside it was not made by opk or opkssh")
            }
            certificate = line
        }
        if let publicFile {
            guard let line = SSHKeyLine(parsing: publicFile), isOurs(line.comment) else {
                return .somebodyElses(why: "the public key beside it was not made by opk or opkssh")
            }
        }
        if let keyFile {
            guard let outline = try? OpenSSHPrivateKeyFile.outline(keyFile) else {
                return .somebodyElses(why: "its private key was not made by opk or opkssh")
            }
            // Either the key says so itself (a crash between two files leaves it alone), or our certificate is for this very key.
            // A certificate of ours beside a key that somebody put there later says nothing about that key.
            let saysSo = outline.comment.map(isOurs) ?? false
            let certified = certificate.flatMap { try? SSHCertificate(parsing: $0.blob) }?.key?.sshBlob == outline.publicBlob
            guard saysSo || certified else {
                return .somebodyElses(why: "its private key was not made by opk or opkssh")
            }
        }
        return .ours
    }

    private static func isOurs(_ comment: Text) -> Bool {
        comment == certificateComment || comment == privateKeyComment || comment.hasPrefix("openpubkey:")
    }
}

extension KeyPlace {
    /// The first of ssh's own names for this kind of key that is free or ours: `id_ecdsa`, then `id_ecdsa_sk`, as opkssh does.
    public static func usual(for kind: KeyKind, home: String) throws(LoginError) -> KeyPlace {
        let folder = KeyFolder(path: home + "/.ssh")
        try folder.check()
        var taken: [TakenName] = []
        for name in usualNames(kind) {
            let place = KeyPlace(folder.path + "/" + name)
            switch place.occupancy() {
            case .free, .ours: return place
            case .somebodyElses(let why): taken.append(TakenName(path: place.privateKey, why: why))
            }
        }
        throw .noFreeName(taken)
    }

    /// The file that the person named, if it is not somebody else's.
    public static func named(_ path: String) throws(LoginError) -> KeyPlace {
        guard let last = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).last,
            !last.isEmpty, !last.elementsEqual(".".utf8), !last.elementsEqual("..".utf8)
        else { throw .fileName(Text(path)) }
        let place = KeyPlace(path)
        try place.folder.check()
        if case .somebodyElses(let why) = place.occupancy() { throw .somebodyElses(path: path, why: why) }
        return place
    }

    /// `$HOME`, else what the user database says.
    public static func home() throws(LoginError) -> String {
        try home(ProcessEnvironment.inherited()["HOME"])
    }

    static func home(_ variable: String?) throws(LoginError) -> String {
        if let variable, !variable.isEmpty {
            guard variable.utf8.first == UInt8(ascii: "/") else { throw .noHome }
            return variable
        }
        guard let folder = databaseHome else { throw .noHome }
        return folder
    }

    /// Whether ssh looks for keys where `home()` is: it asks the user database and not `$HOME`.
    public static var isHomeOfSSH: Bool {
        guard let home = try? home(), let database = databaseHome else { return false }
        return Text(home) == Text(database)
    }

    /// Whether ssh tries this key unasked: it has one of ssh's own names, in ~/.ssh.
    public func isTriedBySSH(home: String) -> Bool {
        KeyPlace.isHomeOfSSH && isUsual(home: home)
    }

    /// Whether it is one that opk chooses by itself.
    func isUsual(home: String) -> Bool {
        KeyKind.allCases.flatMap { KeyPlace.usualNames($0) }.contains { Text(home + "/.ssh/" + $0) == Text(privateKey) }
    }

    static func usualNames(_ kind: KeyKind) -> [String] { ["id_\(kind.rawValue)", "id_\(kind.rawValue)_sk"] }

    private static var databaseHome: String? {
        guard let entry = unsafe getpwuid(geteuid()), let folder = unsafe entry.pointee.pw_dir else { return nil }
        return unsafe String(cString: folder)
    }
}

/// A file name that cannot be used for a key, and why.
public struct TakenName: Hashable, Sendable {
    public let path: String
    public let why: String
}

/// The kinds of key that opk makes.
public enum KeyKind: String, CaseIterable, Sendable {
    case ecdsa, ed25519
}
