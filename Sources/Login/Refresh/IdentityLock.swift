import Identities
import SafeFiles

/// Who works on an identity holds `~/.opk/locks/NAME`: a refresh token that works once must not be used by two, and what a logout took away must not
/// come back. The system lets the lock go when its holder ends.
struct IdentityLock: Sendable {
    let folder: String

    /// Milliseconds: longer than a refresh takes, whose every request has a deadline.
    static let patience = 25_000

    init(below home: String) {
        folder = home + "/locks"
    }

    /// - Throws: `busy` where another has it in hand for longer than `milliseconds`.
    func hold<Result>(
        _ name: IdentityName, waitingAtMost milliseconds: Int, _ body: () throws(RefreshError) -> Result
    ) throws(RefreshError) -> Result {
        do throws(WriteFailure) {
            try Folder.create(folder, mode: 0o700)
        } catch {
            throw .writing(error)
        }
        return try FileLock.attempt("\(folder)/\(name.text)", waitingAtMost: milliseconds) { state throws(RefreshError) in
            switch state {
            case .held: return try body()
            case .busy, .stuck: throw .busy
            case .unavailable(let failure): throw .writing(failure)
            }
        }
    }
}
