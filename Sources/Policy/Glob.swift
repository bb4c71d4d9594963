public import Vocabulary

/// A path's pattern, as Go's path.Match reads it: `*` any characters and `?` one, but never `/`; `[a-c]` and `[^a-c]` one of those or one
/// of the others, but never `/`; a backslash takes the next character literally. It matches the whole text or not at all.
///
/// Since only a `/` matches a `/`, pattern and text are compared part by part between the slashes.
public struct Glob: Hashable, Sendable {
    public let pattern: Text
    private let parts: [[Element]]

    private enum Element: Hashable, Sendable {
        case star
        case any
        case literal(Unicode.Scalar)
        case oneOf([ClosedRange<Unicode.Scalar>], negated: Bool)
    }

    /// Nil for a malformed pattern.
    init?(_ pattern: Text) {
        self.pattern = pattern
        var parts: [[Element]] = []
        for part in pattern.string.unicodeScalars.split(separator: "/", omittingEmptySubsequences: false) {
            guard let elements = Glob.elements(part) else { return nil }
            parts.append(elements)
        }
        self.parts = parts
    }

    func matches(_ text: Text) -> Bool {
        let texts = text.string.unicodeScalars.split(separator: "/", omittingEmptySubsequences: false)
        return texts.count == parts.count && zip(parts, texts).allSatisfy { Glob.matches($0, Array($1)) }
    }

    private static func elements(_ part: Substring.UnicodeScalarView) -> [Element]? {
        var elements: [Element] = []
        var rest = part
        while let scalar = rest.popFirst() {
            switch scalar {
            case "*": if elements.last != .star { elements.append(.star) }
            case "?": elements.append(.any)
            case "\\":
                guard let escaped = rest.popFirst() else { return nil }
                elements.append(.literal(escaped))
            case "[":
                guard let set = characterClass(&rest) else { return nil }
                elements.append(set)
            default: elements.append(.literal(scalar))
            }
        }
        return elements
    }

    /// What follows a `[`, up to and with its `]`.
    private static func characterClass(_ rest: inout Substring.UnicodeScalarView) -> Element? {
        let negated = rest.first == "^"
        if negated { rest.removeFirst() }
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        while let first = rest.first {
            if first == "]" && !ranges.isEmpty {
                rest.removeFirst()
                return .oneOf(ranges, negated: negated)
            }
            guard let low = member(&rest) else { return nil }
            var high = low
            if rest.first == "-" {
                rest.removeFirst()
                guard let end = member(&rest), end >= low else { return nil }
                high = end
            }
            ranges.append(low...high)
        }
        return nil
    }

    private static func member(_ rest: inout Substring.UnicodeScalarView) -> Unicode.Scalar? {
        guard let scalar = rest.popFirst(), scalar != "-", scalar != "]" else { return nil }
        return scalar == "\\" ? rest.popFirst() : scalar
    }

    /// One part. Going back to the last star is enough: what stood before it matched as early as it could.
    private static func matches(_ elements: [Element], _ text: [Unicode.Scalar]) -> Bool {
        var (element, position) = (0, 0)
        var retry: (element: Int, position: Int)?
        while position < text.count || element < elements.count {
            if element < elements.count {
                if elements[element] == .star {
                    retry = (element, position + 1)
                    element += 1
                    continue
                }
                if position < text.count && accepts(elements[element], text[position]) {
                    element += 1
                    position += 1
                    continue
                }
            }
            guard let last = retry, last.position <= text.count else { return false }
            (element, position) = last
        }
        return true
    }

    private static func accepts(_ element: Element, _ scalar: Unicode.Scalar) -> Bool {
        switch element {
        case .star, .any: true
        case .literal(let literal): literal == scalar
        case .oneOf(let ranges, let negated): ranges.contains { $0.contains(scalar) } != negated
        }
    }
}
