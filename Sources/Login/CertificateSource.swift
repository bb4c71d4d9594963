public import SSHKeys
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where `opk inspect` finds a certificate: a file, standard input, or the text itself.
public enum CertificateSource {
    /// Bytes of a file; a certificate that sshd would see is below 128 KiB.
    static let limit = 1 << 20

    /// - Parameter argument: `-` for standard input; a path, of a certificate or of a private key with its certificate beside it; or a
    ///   certificate's text, which is never mistaken for a path since a path with that name would have to exist.
    public static func certificate(_ argument: String) throws(LoginError) -> SSHCertificate {
        if argument == "-" { return try parse(try read(STDIN_FILENO, "standard input")) }
        let beside = argument + "-cert.pub"
        for path in [argument, beside] {
            let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
            guard descriptor >= 0 else {
                if errno == ENOENT || errno == ENAMETOOLONG || errno == ENOTDIR { continue }
                throw .unreadable(path: path, why: systemError(errno))
            }
            defer { _ = close(descriptor) }
            let bytes = try read(descriptor, path)
            // A private key says nothing about anybody; its certificate does.
            if path == argument, bytes.starts(with: "-----BEGIN ".utf8) { continue }
            return try parse(bytes)
        }
        guard argument.utf8.contains(0x20) || argument.utf8.count > 200 else {
            throw .unreadable(path: argument, why: "no certificate is there")
        }
        return try parse(Array(argument.utf8))
    }

    /// A line `TYPE BASE64 [COMMENT]`, or base64 alone as sshd hands it over (`%k`).
    static func parse(_ bytes: [UInt8]) throws(LoginError) -> SSHCertificate {
        let text = Array(bytes.drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 })
        let blob: [UInt8]
        if let line = SSHKeyLine(parsing: text) {
            guard SSHCertificate.isCertificateType(Array(line.type.utf8)) else {
                throw .notACertificate(
                    "it is a plain key of type \(Text(line.type).escaped(limit: 64)), \(SSHFingerprint.sha256(line.blob))")
            }
            blob = line.blob
        } else if let bare = Base64.decode(Array(text.prefix { $0 > 0x20 })), !bare.isEmpty {
            blob = bare
        } else {
            throw .notACertificate("there is no line of a type and base64 in it")
        }
        do throws(SSHFormatError) {
            return try SSHCertificate(parsing: blob)
        } catch {
            throw .notACertificate(wording(error))
        }
    }

    private static func wording(_ error: SSHFormatError) -> String {
        switch error {
        case .truncated: "it ends too early"
        case .trailing: "something follows its end"
        case .number: "a number in it is malformed"
        case .type: "its type is not that of a certificate that can be read"
        case .certificateType: "it is neither a user's nor a host's"
        case .optionOrder: "its options or extensions are out of order, or one of them is there twice"
        case .optionValue: "the value of an option is malformed"
        case .tooManyPrincipals: "it names more than \(SSHCertificate.maximumPrincipals) accounts"
        case .signatureType: "its signature is not of its signing key's type"
        }
    }

    private static func read(_ descriptor: Int32, _ name: String) throws(LoginError) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe systemRead(descriptor, &buffer, buffer.count)
            if count == 0 { return all }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw .unreadable(path: name, why: systemError(errno))
            }
            all += buffer[..<count]
            guard all.count <= limit else { throw .unreadable(path: name, why: "it is larger than a certificate can be") }
        }
    }
}

// The name of the call is also the name of a method here.
private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
    unsafe read(descriptor, buffer, count)
}
