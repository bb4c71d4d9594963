/// How opk-fetch is asked. What this process may give up, and when, follows from it: `Enclosure`.
enum FetchMode {
    /// Over a unix socket of the fetcher's own user: no child is started.
    case socket
    /// As a child, by the user of this process.
    case direct
    /// As a child under sudo, by the fetcher's own user.
    case sudo

    /// The one place where this is decided.
    static func decided(for arguments: Arguments) -> FetchMode { .direct }
}
