/// Whose files are believed (POLICY.md: a file must belong to root; with --config-dir, the user who runs the program will do).
public enum FileTrust: Sendable, Hashable {
    case rootOnly
    /// Root, or the user with this id (a uid_t).
    case rootOrUser(UInt32)

    func accepts(owner: UInt32) -> Bool {
        switch self {
        case .rootOnly: owner == 0
        case .rootOrUser(let user): owner == 0 || owner == user
        }
    }
}
