public import Vocabulary

/// One line of a `.pub` file: a type, the key in base64, a comment (sshd(8), AUTHORIZED_KEYS FILE FORMAT, without options).
public struct SSHKeyLine: Sendable, Equatable {
    public let type: String
    public let blob: [UInt8]
    public let comment: Text

    public init(blob: [UInt8], type: String, comment: Text) {
        self.type = type
        self.blob = blob
        self.comment = comment
    }

    /// Nil unless the first line is such a one and its type is the one within the blob.
    public init?(parsing bytes: [UInt8]) {
        let line = bytes.prefix { $0 != 0x0A && $0 != 0x0D }
        let parts = line.split(maxSplits: 2) { $0 == 0x20 || $0 == 0x09 }
        guard parts.count >= 2, let blob = Base64.decode(parts[1]) else { return nil }
        var reader = SSHReader(blob)
        guard let type = try? reader.string(), type.elementsEqual(parts[0]),
            let comment = Text(validating: parts.count > 2 ? parts[2] : [])
        else { return nil }
        self.type = String(decoding: type, as: UTF8.self)
        self.blob = blob
        self.comment = comment
    }

    /// With a line break at the end.
    public var bytes: [UInt8] {
        Array((type + " " + Base64.encode(blob) + (comment.isEmpty ? "" : " " + comment.string) + "\n").utf8)
    }
}
