public import ChildProcess
public import Identities

/// Where refresh tokens are kept: in one of three places, the one that was chosen, and nowhere else. A place that cannot be used is an error, never a
/// reason for another place.
public struct TokenStore: Sendable {
    private let file: FileTokens
    private let secretService: SecretServiceTokens
    private let keyring = KeyringTokens()

    /// - Parameters:
    ///   - home: the person's `~/.opk`.
    ///   - environment: where the Secret Service's bus and `secret-tool` are looked for.
    public init(below home: String, environment: ProcessEnvironment = .inherited()) {
        file = FileTokens(folder: home + "/tokens")
        secretService = SecretServiceTokens(environment: environment)
    }

    /// What is used where nobody chose. A system without it is told so.
    public static let usual = RefreshTokenPlace.keyring

    /// Whether the place can be used, as far as can be told without a token: asked before anybody logs in.
    public func check(_ place: RefreshTokenPlace) throws(TokenStoreError) {
        switch place {
        case .keyring: try keyring.check()
        case .secretService: try secretService.check()
        case .file: try file.check()
        }
    }

    /// In the place of what was kept under this name: the old token or the new one is there, whatever happens meanwhile.
    public func keep(_ token: StoredRefreshToken, _ name: IdentityName, in place: RefreshTokenPlace) throws(TokenStoreError) {
        let bytes = token.encoded()
        guard bytes.count <= StoredRefreshToken.largest else { throw .tooLarge }
        switch place {
        case .keyring: try keyring.write(bytes, name)
        case .secretService: try secretService.write(bytes, name)
        case .file: try file.write(bytes, name)
        }
    }

    /// Nil where there is none.
    public func token(_ name: IdentityName, in place: RefreshTokenPlace) throws(TokenStoreError) -> StoredRefreshToken? {
        let bytes: [UInt8]? =
            switch place {
            case .keyring: try keyring.read(name)
            case .secretService: try secretService.read(name)
            case .file: try file.read(name)
            }
        guard let bytes else { return nil }
        guard let token = StoredRefreshToken(parsing: bytes) else { throw .malformed(place) }
        return token
    }

    /// No error where there is none.
    public func remove(_ name: IdentityName, from place: RefreshTokenPlace) throws(TokenStoreError) {
        switch place {
        case .keyring: try keyring.remove(name)
        case .secretService: try secretService.remove(name)
        case .file: try file.remove(name)
        }
    }
}
