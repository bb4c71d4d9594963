public import Identities
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// `opk login --if-needed`: what ssh runs before it connects. Where a login stands nothing happens; else one takes place, and however many
/// ask at the same time, one.
public struct LoginIfNeeded {
    public enum Outcome: Sendable, Equatable {
        /// Nothing was to be done.
        case standing
        case loggedIn
        /// While this one waited.
        case loggedInByAnother
    }

    private let name: IdentityName
    private let standing: StandingLogin
    private let folder: String
    private let hasTerminal: Bool
    private let hasBrowser: Bool
    private let clock: () -> UnixTime

    /// Seconds. A page that nobody answered is not opened again so soon for a program without a terminal (an editor that fetches in the
    /// background, a timer); somebody at a terminal is asked each time.
    public static let pause: Int64 = 900
    /// Seconds beyond the other login's own patience, for what follows the browser's answer.
    private static let grace: Int64 = 60

    /// - Parameters:
    ///   - home: the person's `~/.opk`.
    ///   - hasTerminal: whether somebody can read what is said.
    ///   - hasBrowser: whether a page can be opened.
    public init(
        _ name: IdentityName, at place: KeyPlace, below home: String, hasTerminal: Bool = LoginIfNeeded.hasTerminal,
        hasBrowser: Bool = Browser().isThere
    ) {
        self.init(
            name, standing: StandingLogin(at: place), below: home, hasTerminal: hasTerminal, hasBrowser: hasBrowser, clock: UnixTime.now)
    }

    init(
        _ name: IdentityName, standing: StandingLogin, below home: String, hasTerminal: Bool, hasBrowser: Bool,
        clock: @escaping () -> UnixTime
    ) {
        self.name = name
        self.standing = standing
        folder = IdentityFolder(below: home).path
        self.hasTerminal = hasTerminal
        self.hasBrowser = hasBrowser
        self.clock = clock
    }

    /// Blocks until there is a login or there will be none.
    ///
    /// - Parameters:
    ///   - patience: seconds that a login may take.
    ///   - waiting: called once, before another's login is waited for.
    ///   - logIn: a login that leaves its key where `place` says.
    public func run(patience: Int64, waiting: () -> Void, logIn: () throws(LoginError) -> Void) throws(LoginError) -> Outcome {
        if standing.isGood(at: clock()) { return .standing }
        do throws(WriteFailure) {
            try Folder.create(folder, mode: 0o700)
        } catch {
            throw .writing(error)
        }
        let lock = "\(folder)/\(name).lock"
        let first = try FileLock.attempt(lock, waitingAtMost: 0) { state throws(LoginError) in
            try take(state, hasWaited: false, logIn)
        }
        if let first { return first }
        waiting()
        let limit = Int(clamping: (patience + LoginIfNeeded.grace) * 1000)
        let second = try FileLock.attempt(lock, waitingAtMost: limit) { state throws(LoginError) in
            try take(state, hasWaited: true, logIn)
        }
        guard let second else { throw .otherLoginFailed(name) }
        return second
    }

    /// Nil where somebody else has the lock.
    private func take(
        _ state: FileLock.State, hasWaited: Bool, _ logIn: () throws(LoginError) -> Void
    ) throws(LoginError) -> Outcome? {
        switch state {
        case .busy, .stuck: return nil
        case .unavailable(let failure): throw .writing(failure)
        case .held: break
        }
        // It may have come to stand while nobody looked.
        if standing.isGood(at: clock()) { return hasWaited ? .loggedInByAnother : .standing }
        // Who waited for a login in vain does not ask the person again: there may be ten of them.
        if hasWaited { throw .otherLoginFailed(name) }
        try checkAsking()
        do throws(LoginError) {
            try logIn()
        } catch {
            try? AtomicFile.write([], to: unanswered, mode: 0o600)
            throw error
        }
        unsafe unlink(unanswered)
        return .loggedIn
    }

    /// Nobody waits five minutes for a page that nobody can see.
    private func checkAsking() throws(LoginError) {
        if hasTerminal { return }
        guard hasBrowser else { throw .nobodyToAsk(name) }
        guard let last = FileLock.changed(unanswered) else { return }
        // A clock that was set back does not silence it for longer.
        if (0..<LoginIfNeeded.pause).contains(clock().seconds - last.seconds) { throw .unansweredLately(name) }
    }

    /// Its time of change is that of the last login that came to nothing.
    private var unanswered: String { "\(folder)/\(name).unanswered" }

    /// ssh runs us with its own standard error and nothing else; a terminal may be behind that, or be the session's.
    public static var hasTerminal: Bool {
        if isatty(STDERR_FILENO) == 1 { return true }
        let terminal = unsafe open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard terminal >= 0 else { return false }
        close(terminal)
        return true
    }
}
