/// What `~/.opk/auth_id` of the account says.
public enum HomeAnswer: Hashable, Sendable {
    case notAsked
    /// config.yml says `home_policy: false`.
    case off
    case absent
    /// It is there, and nobody is admitted through it. Escaped.
    case unusable(String)
    case rows(AuthID)
}
