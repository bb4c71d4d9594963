import Vocabulary

/// Whether two lists of names have one in common: a token may name a hundred thousand groups, and a deny list as many.
enum CommonName {
    /// The first of `wanted` that is among `names`.
    static func first(of wanted: [Text], in names: [Text]) -> Text? {
        if min(wanted.count, names.count) <= few { return wanted.first { names.contains($0) } }
        let known = Set(names)
        return wanted.first { known.contains($0) }
    }

    /// The same where ASCII case is ignored.
    static func firstIgnoringCase(of wanted: [Text], in names: [Text]) -> Text? {
        if min(wanted.count, names.count) <= few {
            return wanted.first { name in names.contains { $0.equalsIgnoringASCIICase(name) } }
        }
        let known = Set(names.map(\.lowercasedASCII))
        return wanted.first { known.contains($0.lowercasedASCII) }
    }

    /// So few are looked for one by one: the type of a set is put together at run time.
    private static let few = 16
}
