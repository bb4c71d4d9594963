internal import CSystem
import Vocabulary

/// Takes out of what a plugin says all that it has from the user's tokens: a script that runs under `set -x`, or ends with `env >&2`, would
/// write them to the log.
struct Redaction {
    private let secrets: [[UInt8]]

    /// In bytes: what is shorter is not worth hiding, and would be found by chance.
    static let shortest = 12
    /// Stands for any number of bytes.
    static let mark = Array("(secret)".utf8)

    init(_ secrets: [Secret]) { self.secrets = secrets.map(\.exposed).filter { $0.count >= Redaction.shortest } }

    /// - Parameter text: a few hundred bytes.
    func applied(to text: [UInt8]) -> [UInt8] {
        guard text.count >= Redaction.shortest else { return text }
        var hidden = [Bool](repeating: false, count: text.count)
        for start in 0...(text.count - Redaction.shortest) where isSecret(Array(text[start..<(start + Redaction.shortest)])) {
            for index in start..<(start + Redaction.shortest) { hidden[index] = true }
        }
        var out: [UInt8] = []
        for (index, byte) in text.enumerated() {
            if !hidden[index] {
                out.append(byte)
            } else if index == 0 || !hidden[index - 1] {
                out += Redaction.mark
            }
        }
        return out
    }

    private func isSecret(_ piece: [UInt8]) -> Bool {
        secrets.contains { secret in
            // It reads no more than both lengths, of arrays that outlive the call.
            unsafe opk_contains(secret, secret.count, piece, piece.count) != 0
        }
    }
}
