public import Identities
import PKToken
import SSHKeys
import SafeFiles
import TokenStore
import Vocabulary

/// What a login does with a refresh token.
extension IdentityRefresher {
    /// Keeps the login's refresh token in `place`, and says so in its record, which must have been written before. A token of an earlier login under this
    /// name, in whatever place, is gone afterwards.
    ///
    /// - Parameter lifetime: what the login was asked for; under `oidc` each refresh moves the certificate's end.
    /// - Returns: false where the provider gave no refresh token.
    public func keep(_ result: LoginResult, as name: IdentityName, of provider: ProviderConfig, in place: RefreshTokenPlace)
        throws(RefreshError) -> Bool
    {
        try lock.hold(name, waitingAtMost: IdentityLock.patience) { () throws(RefreshError) in
            guard var record = try record(of: name, of: result) else { throw .tokenOfAnother }
            if let old = record.refreshToken, old != place { try? tokens.remove(name, from: old) }
            guard let token = result.refreshToken else {
                try? tokens.remove(name, from: place)
                record.refreshToken = nil
                try write(record)
                return false
            }
            let stored = StoredRefreshToken(
                issuer: provider.issuer, clientID: provider.clientID, clientSecret: provider.clientSecret, token: token,
                movesEnd: result.identity.row.expiry == .oidc)
            do throws(TokenStoreError) {
                try tokens.keep(stored, name, in: place)
            } catch {
                throw .store(error)
            }
            record.refreshToken = place
            try write(record)
            return true
        }
    }

    /// For a login that keeps none: the token of an earlier login under this name is for a key that is gone. To be called before the new record is
    /// written.
    public func forget(_ name: IdentityName) throws(RefreshError) {
        try lock.hold(name, waitingAtMost: IdentityLock.patience) { () throws(RefreshError) in
            guard var record = try? identities.read(name), let place = record.refreshToken else { return }
            do throws(TokenStoreError) {
                try tokens.remove(name, from: place)
            } catch {
                throw .store(error)
            }
            record.refreshToken = nil
            try write(record)
        }
    }

    private func record(of name: IdentityName, of result: LoginResult) throws(RefreshError) -> StoredIdentity? {
        do throws(UnsafeFile) {
            guard let record = try identities.read(name), record.publicKey == result.identity.certificate.key.sshBlob else { return nil }
            return record
        } catch {
            throw .record(error)
        }
    }
}
