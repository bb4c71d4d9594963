import CSystem

/// Ctrl-C while a server is set up, which is seen between two steps: what was begun is then taken back as after any other failure. A second one ends the process,
/// and the next run takes back what it had begun.
enum Interruption {
    static func begin() { opk_follow_begin() }
    static func end() { opk_follow_end() }

    static func check() throws(ServerSetupError) {
        if isNoted { throw .interrupted }
    }

    static var isNoted: Bool { opk_follow_wait(0) != 0 }
}
