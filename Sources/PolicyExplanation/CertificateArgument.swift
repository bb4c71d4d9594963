import SSHKeys
import SafeFiles
public import Verifier
public import Vocabulary

/// Where the certificate is: a file, standard input, its text, or base64 alone as sshd hands it over (`%k`). It may be as broken as it likes: that is
/// for the verifier to say.
public enum CertificateArgument {
    /// Bytes; a certificate that sshd would see is below 128 KiB.
    static let limit = 1 << 20

    /// - Parameter word: `-`, a path of a certificate or of a private key with its certificate beside it, or the text itself.
    public static func request(for account: Text, _ word: String) throws(ExplainError) -> LoginRequest {
        let bytes = try bytes(word)
        let lines = bytes.split { $0 == 0x0A || $0 == 0x0D }
        let words = lines.first?.split { $0 == 0x20 || $0 == 0x09 }.map(Array.init) ?? []
        switch words.count {
        case 0: throw .noCertificate(Text(word))
        case 1:
            guard let blob = Base64.decode(words[0]) else { throw .noCertificate(Text(word)) }
            // As sshd would name it: the type within.
            var reader = SSHReader(blob)
            let type = (try? reader.string()).map(Array.init) ?? []
            return LoginRequest(account: account.utf8, key: words[0], type: type)
        default: return LoginRequest(account: account.utf8, key: words[1], type: words[0])
        }
    }

    private static func bytes(_ word: String) throws(ExplainError) -> [UInt8] {
        if word == "-" { return try read("-") }
        do {
            let bytes = try BoundedInput.read(word, limit: limit)
            // A private key says nothing about anybody; its certificate does.
            return bytes.starts(with: "-----BEGIN ".utf8) ? try read(word + "-cert.pub") : bytes
        } catch let failure as ExplainError {
            throw failure
        } catch let failure as BoundedInput.Failure {
            if let beside = try? BoundedInput.read(word + "-cert.pub", limit: limit) { return beside }
            // A path with that name would have to exist.
            if word.utf8.contains(0x20) || Base64.decode(Array(word.utf8)) != nil { return Array(word.utf8) }
            throw .input(failure)
        } catch { throw .noCertificate(Text(word)) }
    }

    private static func read(_ path: String) throws(ExplainError) -> [UInt8] {
        do { return try BoundedInput.read(path, limit: limit) } catch { throw .input(error) }
    }
}
