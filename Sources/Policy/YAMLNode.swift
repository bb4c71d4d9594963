package import Vocabulary

/// What config.yml may consist of, the server's and the client's: a small, unambiguous part of YAML 1.1. No tags, anchors, aliases, directives, or second documents, no
/// mapping as a key, no key twice.
package struct YAMLNode: Equatable {
    package let line: Int
    package let content: Content

    package enum Content: Equatable {
        /// `isPlain`: written without quotes, so that `~` and nothing at all mean null.
        case scalar(Text, isPlain: Bool)
        case sequence([YAMLNode])
        case mapping([Entry])
    }

    package struct Entry: Equatable {
        package let line: Int
        package let key: Text
        package let value: YAMLNode
    }

    package var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return text.isEmpty || text == "~" || ["null", "Null", "NULL"].contains(text)
    }
}
