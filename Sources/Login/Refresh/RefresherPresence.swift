import Identities
import SafeFiles

/// Whether anybody keeps an identity alive: who does holds `~/.opk/locks/.refresher`, or `.refresher.NAME` where it looks after that one alone, for as
/// long as it runs. Several may. The system lets go when they end.
///
/// No identity is called so: a name begins with a letter or digit.
struct RefresherPresence: Sendable {
    private let folder: String

    /// - Parameter home: the person's `~/.opk`.
    init(below home: String) {
        folder = home + "/locks"
    }

    /// Runs `body` as a refresher of these; nil for all. Where the file system knows no locks nobody hears of it.
    func announced<Result>(_ names: Set<IdentityName>?, _ body: () -> Result) -> Result {
        try? Folder.create(folder, mode: 0o700)
        let locks = (names.map { $0.sorted().map(path) } ?? [path(nil)]).map { SharedLock($0) }
        defer { for lock in locks { lock?.release() } }
        return body()
    }

    func isAnnounced(_ name: IdentityName) -> Bool {
        SharedLock.isHeld(path(nil)) || SharedLock.isHeld(path(name))
    }

    private func path(_ name: IdentityName?) -> String { folder + "/.refresher" + (name.map { "." + $0.text } ?? "") }
}
