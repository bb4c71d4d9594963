/// Where a private key lives: `store:` of `~/.opk/config.yml`, `--store`.
public enum KeyStore: String, CaseIterable, Sendable {
    /// In ssh-agent alone: it never touches the disk.
    case agent
    case file
    case both

    public var usesAgent: Bool { self != .file }
    public var usesFile: Bool { self != .agent }
}
