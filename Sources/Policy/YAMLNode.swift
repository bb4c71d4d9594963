import Vocabulary

/// What config.yml may consist of: a small, unambiguous part of YAML 1.1. No tags, anchors, aliases, directives, or second documents, no
/// mapping as a key, no key twice.
struct YAMLNode: Equatable {
    let line: Int
    let content: Content

    enum Content: Equatable {
        /// `isPlain`: written without quotes, so that `~` and nothing at all mean null.
        case scalar(Text, isPlain: Bool)
        case sequence([YAMLNode])
        case mapping([Entry])
    }

    struct Entry: Equatable {
        let line: Int
        let key: Text
        let value: YAMLNode
    }

    var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return text.isEmpty || text == "~" || ["null", "Null", "NULL"].contains(text)
    }
}
