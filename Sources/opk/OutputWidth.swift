import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension TerminalScreen {
    /// How many columns the terminal at standard output has; nil where it is none.
    static var columnsOfOutput: Int? {
        var (columns, rows): (Int32, Int32) = (80, 24)
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        _ = unsafe opk_terminal_size(STDOUT_FILENO, &columns, &rows)
        return Int(columns)
    }
}
