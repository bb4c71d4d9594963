import Vocabulary

/// That a session begins, as PAM says in the environment (pam_exec(8)), and sshd in `SSH_AUTH_INFO_0`.
struct PAMCall {
    let account: String
    let remoteHost: Text?
    let terminal: Text?
    /// Types and keys that sshd accepted, in their order.
    let keys: [(type: String, blob: [UInt8])]

    /// Bytes of `SSH_AUTH_INFO_0`: one variable holds no more.
    static let longest = 128 << 10
    /// Lines of it that are looked at.
    static let mostMethods = 8

    /// Nil where this is not the beginning of a session of an account that we could have let in. At its end the environment is the user's to say, and there
    /// is nothing to do: `opk sessions enforce` writes down who is gone.
    init?(_ environment: PAMEnvironment) {
        guard environment["PAM_TYPE"] == "open_session" else { return nil }
        guard let account = environment["PAM_USER"], AccountName.isSafe(Array(account.utf8)) else { return nil }
        self.account = account
        remoteHost = environment["PAM_RHOST"].flatMap { PAMCall.word($0, longest: 256) }
        // OpenSSH says `ssh` for each connection: PAM is told before there is a terminal.
        terminal = environment["PAM_TTY"].flatMap { $0 == "ssh" ? nil : PAMCall.word($0, longest: 64) }
        keys = PAMCall.keys(environment["SSH_AUTH_INFO_0"] ?? "")
    }

    private static func word(_ text: String, longest: Int) -> Text? {
        text.isEmpty || text.utf8.count > longest || !text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) ? nil : Text(text)
    }

    /// Lines `publickey TYPE BASE64`; other methods are no business of ours.
    private static func keys(_ text: String) -> [(type: String, blob: [UInt8])] {
        guard text.utf8.count <= longest else { return [] }
        return text.utf8.split(separator: UInt8(ascii: "\n")).prefix(mostMethods).compactMap { line in
            let words = line.split(separator: UInt8(ascii: " "))
            guard words.count >= 3, words[0].elementsEqual("publickey".utf8), let blob = Base64.decode(Array(words[2])) else { return nil }
            return (String(decoding: Array(words[1]), as: UTF8.self), blob)
        }
    }
}
