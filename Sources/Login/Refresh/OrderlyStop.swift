import CSystem
import Vocabulary

/// A program that goes on until it is told to stop, by SIGTERM or Ctrl-C: it ends within a second, in the middle of a request or of its sleep, but never
/// between two things that belong together.
public enum OrderlyStop {
    /// When what goes on may be cut off.
    enum Moment: Sendable {
        case atOnce
        /// After a moment's grace: an answer is awaited that a provider gives once.
        case soon
        /// When it is done: what was given is being written.
        case later
    }

    /// From here on the process ends with status 0 when it is told to.
    public static func begin() { _ = opk_stop_catch() }

    static func allow(_ moment: Moment) {
        switch moment {
        case .atOnce: opk_stop_set(OPK_STOP_AT_ONCE)
        case .soon: opk_stop_set(OPK_STOP_SOON)
        case .later: opk_stop_set(OPK_STOP_LATER)
        }
    }

    /// By the wall clock, so that a laptop which slept is not late.
    static func sleep(until time: UnixTime) { opk_sleep_until(time.seconds) }
}
