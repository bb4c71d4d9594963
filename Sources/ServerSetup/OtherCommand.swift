import Audit
import Vocabulary

/// The AuthorizedKeysCommand that sshd asks now, where it is not ours.
struct OtherCommand: Hashable, Sendable {
    let program: String
    /// With sshd's tokens.
    let words: [String]
    let user: String
    /// As it stands in the configuration.
    let text: String

    init?(command: String, user: String) {
        let all = SSHDFiles.words(command)
        guard let program = all.first, program.hasPrefix("/") else { return nil }
        self.program = program
        // Without any word sshd gives it the account's name (auth2-pubkey.c, user_key_command_allowed2).
        words = all.count > 1 ? Array(all.dropFirst()) : ["%u"]
        self.user = user
        text = command
    }

    var isOpkssh: Bool { program.hasSuffix("/opkssh") }

    /// Why it cannot be written behind ours; nil where it can.
    var obstacle: String? {
        let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./%@:=,+-".utf8)
        if let odd = ([program] + words).first(where: { !$0.utf8.allSatisfy(plain.contains) }) {
            return "the word \(Text(odd).escaped(limit: 100)) has characters that are not carried over"
        }
        return nil
    }

    /// Options of opk-verify.
    var chain: [String] { ["--then", program] + words.flatMap { ["--then-word", $0] } }

    /// What sshd would write for its tokens (sshd_config(5), TOKENS).
    static func expand(_ word: String, _ values: [Character: String]) -> String {
        var (out, isToken) = ("", false)
        for character in word {
            switch (isToken, character) {
            case (false, "%"): isToken = true
            case (true, "%"): (out, isToken) = (out + "%", false)
            case (true, _): (out, isToken) = (out + (values[character] ?? "%\(character)"), false)
            default: out.append(character)
            }
        }
        return out
    }
}
