internal import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the log is told if the process is cut short, made ready while there is time: a signal handler can neither allocate nor ask.
public enum LastWords {
    /// - Parameters:
    ///   - rest: where given, the number of the step that is being taken then stands between the two.
    ///   - status: what the process ends with.
    public static func set(_ words: String, thenStepAnd rest: String? = nil, failed: Bool, status: Int32) {
        let (before, after) = (Array(words.utf8), Array((rest ?? "").utf8))
        // Both are copied, and no more than their lengths.
        unsafe opk_last_words(
            LOG_AUTH | (failed ? LOG_WARNING : LOG_INFO), before, before.count, after, after.count, rest == nil ? 0 : 1, status)
    }

    public static func note(step: Int) { opk_last_words_step(Int32(step)) }
}
