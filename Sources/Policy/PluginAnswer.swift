import Vocabulary

/// What the plugins of policy.d say about a login.
///
/// As bytes, from the process that runs them: one for the case, then texts, each with its length before it (two bytes, the higher first).
public enum PluginAnswer: Hashable, Sendable {
    case notAsked
    /// There is no plugin.
    case none
    /// No plugin admits. The notes say of each why; escaped, without secrets.
    case refused([String])
    /// That plugin admits. The name is the file's `name`, escaped; the notes are about those before it.
    case allowed(name: String, notes: [String])

    /// For the log.
    public var notes: [String] {
        switch self {
        case .notAsked, .none: []
        case .refused(let notes), .allowed(_, let notes): notes
        }
    }

    /// Bytes of one text: what is longer is cut.
    static let longestText = 1024
    static let maximumNotes = 40
    /// Of the whole answer.
    public static let maximumSize = 1 + (2 + longestText) * (1 + maximumNotes)

    public var encoded: [UInt8] {
        switch self {
        case .notAsked: [0]
        case .none: [1]
        case .refused(let notes): [2] + PluginAnswer.written(notes.prefix(PluginAnswer.maximumNotes))
        case .allowed(let name, let notes): [3] + PluginAnswer.written([name] + notes.prefix(PluginAnswer.maximumNotes))
        }
    }

    /// Nil for anything that `encoded` does not write.
    public init?(parsing bytes: [UInt8]) {
        guard bytes.count <= PluginAnswer.maximumSize, let kind = bytes.first,
            var texts = PluginAnswer.texts(bytes.dropFirst(), atMost: PluginAnswer.maximumNotes + (kind == 3 ? 1 : 0))
        else { return nil }
        switch (kind, texts.isEmpty) {
        case (0, true): self = .notAsked
        case (1, true): self = .none
        case (2, _): self = .refused(texts)
        case (3, false):
            let name = texts.removeFirst()
            self = .allowed(name: name, notes: texts)
        default: return nil
        }
    }

    private static func written(_ texts: some Sequence<String>) -> [UInt8] {
        var out: [UInt8] = []
        for text in texts {
            var bytes = Array(text.utf8.prefix(longestText))
            // Not through the middle of a character: three bytes at most are of one that was cut.
            while Text(validating: bytes) == nil { bytes.removeLast() }
            out += [UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes
        }
        return out
    }

    private static func texts(_ bytes: ArraySlice<UInt8>, atMost limit: Int) -> [String]? {
        var texts: [String] = []
        var rest = bytes
        while !rest.isEmpty {
            guard texts.count < limit, let high = rest.popFirst(), let low = rest.popFirst() else { return nil }
            let length = Int(high) << 8 | Int(low)
            guard length <= longestText, length <= rest.count, let text = Text(validating: rest.prefix(length)) else { return nil }
            texts.append(text.string)
            rest.removeFirst(length)
        }
        return texts
    }
}
