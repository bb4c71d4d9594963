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

    /// Runs `keep`, which puts a new key and a new record in the place of this name's last ones, while no refresh has the identity in hand. Afterwards the
    /// refresh token of the login before is forgotten: it is for a key that is gone. Where `keep` throws, that key is still there, and so is its token.
    ///
    /// - Returns: with what `keep` returned, why the old token could not be forgotten.
    public func replacing<Result>(_ name: IdentityName, by keep: () throws(LoginError) -> Result) throws(LoginError)
        -> (kept: Result, problem: RefreshError?)
    {
        // Without the folder there is no lock either, and a login goes on without one, as on a file system that knows none.
        try? Folder.create(lock.folder, mode: 0o700)
        return try FileLock.attempt("\(lock.folder)/\(name.text)", waitingAtMost: IdentityLock.patience) { state throws(LoginError) in
            let earlier = (try? identities.read(name))?.refreshToken
            let kept = try keep()
            if case .busy = state { return (kept, .busy) }
            guard let earlier else { return (kept, nil) }
            do throws(TokenStoreError) {
                try tokens.remove(name, from: earlier)
                return (kept, nil)
            } catch {
                return (kept, .store(error))
            }
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
