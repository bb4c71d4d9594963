import Vocabulary

/// Words as a POSIX shell takes them, for commands that a person copies.
enum Shell {
    /// As one word.
    static func quoted(_ word: String) -> String {
        let plain = word.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "+")...UInt8(ascii: "9"): true
            case UInt8(ascii: "_"), UInt8(ascii: "@"), UInt8(ascii: "%"): true
            default: byte >= 0x80
            }
        }
        guard !plain else { return word }
        let inside = word.unicodeScalars.map { $0 == "'" ? "'\\''" : String($0) }.joined()
        return "'\(inside)'"
    }
}

extension KeyPlace {
    /// What ssh has to be told where the agent alone has the private key, and the certificate is one that the agent does not know.
    var agentOptions: String {
        "-o CertificateFile=\(Shell.quoted(Text(certificate).escaped)) -i \(Shell.quoted(Text(publicKey).escaped))"
    }
}
