import Login

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where a person can paste the answer of a browser on another machine.
enum LoginTerminal {
    /// Standard input where that is a terminal.
    static var ofStandardInput: Int32? { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 ? STDIN_FILENO : nil }

    /// The terminal that ssh was started on, where ssh starts this program and gives it nothing to read. Nil in the background, where to read would
    /// stop the process, and where nobody sees what is asked.
    static func ofTheSession() -> Int32? {
        guard isatty(STDERR_FILENO) == 1 else { return nil }
        let terminal = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard terminal >= 0 else { return nil }
        guard tcgetpgrp(terminal) == getpgrp() else {
            close(terminal)
            return nil
        }
        return terminal
    }
}
