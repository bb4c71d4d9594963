/// Where a refresh token is kept: `refresh_token:` of `~/.opk/config.yml`.
public enum RefreshTokenPlace: String, CaseIterable, Sendable {
    /// The kernel's keyring of the user: gone at the next start of the machine.
    case keyring
    /// The desktop's Secret Service (GNOME Keyring, KWallet).
    case secretService = "secret-service"
    /// `~/.opk/tokens/NAME`, mode 0600.
    case file
}
