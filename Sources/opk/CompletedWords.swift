import ArgumentParser
import Identities
import Login
import Vocabulary

/// What a shell offers for a word: names that are on this laptop. A file that cannot be read offers nothing, and says nothing while somebody types.
enum CompletedWords {
    /// Of `opk login`: the configured providers.
    static let aliases = CompletionKind.custom { _, _, prefix in
        (try? ClientConfig.read(path: nil)).map { words($0.aliases, prefix) } ?? []
    }

    /// Of `opk status` and `opk logout`: who is logged in.
    static let identities = CompletionKind.custom { _, _, prefix in
        guard let home = try? KeyPlace.home() else { return [] }
        return words(IdentityFolder(below: home + "/.opk").list().identities.map(\.name.text), prefix)
    }

    /// Whom a server's files know by a short name.
    static let issuers = CompletionKind.list(["google", "azure", "microsoft", "gitlab", "hello"])

    /// What is mostly meant; any other time can be typed.
    static let lifetimes = CompletionKind.list(["30m", "8h", "24h", "7d", "oidc", "never"])

    /// Only what is a name: a shell would read anything else.
    private static func words(_ names: [String], _ prefix: String) -> [String] {
        names.filter { $0.utf8.starts(with: prefix.utf8) && IdentityName(Text($0)) != nil }
    }
}
