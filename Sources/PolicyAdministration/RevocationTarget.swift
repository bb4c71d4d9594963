import JOSE
import LibCrypto
import Login
import PKToken
public import Policy
import SSHKeys
import SafeFiles
public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Who or what somebody means to have out, in any of the forms that `opk revoke` and `opk restore` take.
public struct RevocationTarget: Sendable, Equatable {
    public let what: Revocation.What
    /// Where it was read from a certificate: whom that is about, as the certificate itself says. Not verified.
    public let person: [Revocation.What]

    /// 1 MiB: no certificate is larger.
    private static let largest = 1 << 20

    /// - Parameters:
    ///   - word: `email:…`, `sub:…`, `key:…`, `issuer:…`; an email address; a fingerprint; with an issuer a subject; the file of a public key or a
    ///     certificate, or `-`.
    ///   - issuer: an issuer, or an alias for one.
    public init(_ word: Text, issuer: Text? = nil) throws(PolicyError) {
        var issuer = issuer
        if let word = issuer { issuer = try KnownIssuer.named(word) }
        if let prefix = RevocationTarget.prefixes.first(where: word.hasPrefix) {
            var whole = word
            if let issuer {
                guard prefix == "sub:" else { throw .notTogether(prefix.string + "…", "--issuer") }
                whole = Text(word.string + "@" + issuer.string)
            }
            self.init(what: try RevocationTarget.parsed(whole))
        } else if issuer != nil, word.contains(UInt8(ascii: "@")), !RevocationTarget.isFile(word) {
            throw .revocation(
                "\(word.escaped(limit: 200)) is an address: without --issuer it is email:\(word.escaped(limit: 200)); a subject that looks so is sub:… with --issuer"
            )
        } else if let issuer, !RevocationTarget.isFile(word) {
            self.init(what: try RevocationTarget.parsed(Text("sub:" + word.string + "@" + issuer.string)))
        } else if issuer != nil {
            throw .notTogether("the file of a key", "--issuer")
        } else if word.hasPrefix("SHA256:") {
            self.init(what: try RevocationTarget.parsed(Text("key:" + word.string)))
        } else if RevocationTarget.isFile(word) {
            self = try RevocationTarget.inFile(word.string)
        } else if word.contains(UInt8(ascii: "@")) {
            self.init(what: try RevocationTarget.parsed(Text("email:" + word.string)))
        } else if word.hasPrefix("https://") || word.hasPrefix("http://") {
            throw .revocation("an issuer is everybody who logs in there; if that is meant, it is issuer:\(word.escaped(limit: 200))")
        } else {
            throw .revocation(
                "\(word.escaped(limit: 200)) is neither an email address, a fingerprint (SHA256:…) nor a file; a subject needs --issuer")
        }
    }

    init(what: Revocation.What, person: [Revocation.What] = []) {
        (self.what, self.person) = (what, person)
    }

    private static let prefixes: [Text] = ["email:", "sub:", "key:", "issuer:"]

    private static func parsed(_ word: Text) throws(PolicyError) -> Revocation.What {
        do { return try Revocation.What(word) } catch { throw .revocation(error.text) }
    }

    /// An address is never taken for a file, unless it has a slash.
    private static func isFile(_ word: Text) -> Bool {
        if word == "-" { return true }
        let isPath = word.contains(UInt8(ascii: "/")) && !word.hasPrefix("https://") && !word.hasPrefix("http://")
        if word.contains(UInt8(ascii: "@")) && !isPath || word.contains(0) { return false }
        return unsafe isPath || access(word.string, F_OK) == 0
    }

    private static func inFile(_ path: String) throws(PolicyError) -> RevocationTarget {
        let bytes: [UInt8]
        do { bytes = try BoundedInput.read(path, limit: largest) } catch { throw .input(error) }
        if let line = SSHKeyLine(parsing: Array(bytes.drop { $0 <= 0x20 })), !SSHCertificate.isCertificateType(Array(line.type.utf8)) {
            return RevocationTarget(what: try parsed(Text("key:" + SSHFingerprint.sha256(line.blob))))
        }
        // A certificate, or a private key with its certificate beside it.
        let certificate: SSHCertificate
        do {
            certificate =
                try path == "-"
                ? CertificateSource.certificate(String(decoding: bytes, as: UTF8.self)) : CertificateSource.certificate(path)
        } catch {
            throw .certificate(error.description, hint: error.hint)
        }
        guard let key = certificate.key else { throw .certificate("its key is of a type that opk does not use", hint: nil) }
        return RevocationTarget(what: try parsed(Text("key:" + key.sshFingerprint)), person: people(in: certificate))
    }

    /// By the token that it carries.
    private static func people(in certificate: SSHCertificate) -> [Revocation.What] {
        let token = certificate.extensionNamed(SSHCertificate.tokenExtension).flatMap { try? CompactToken(parsing: $0.value) }
        guard let claims = token?.payload else { return [] }
        var words: [Text] = []
        if let email = claims["email"]?.string { words.append(Text("email:" + email.string)) }
        if let subject = claims["sub"]?.string, let issuer = claims["iss"]?.string {
            words.append(Text("sub:" + subject.string + "@" + issuer.string))
        }
        return words.compactMap { try? Revocation.What($0) }
    }
}
