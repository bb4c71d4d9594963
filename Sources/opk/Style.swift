import ChildProcess

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Colours and weight (ECMA-48 SGR), on a terminal that has them and whose person wants them: not with `NO_COLOR` (no-color.org) or
/// `TERM=dumb`, and never in a pipe or a file.
struct Style {
    let isOn: Bool

    static let onErrors = Style(STDERR_FILENO)
    static let onOutput = Style(STDOUT_FILENO)

    init(_ descriptor: Int32, environment: ProcessEnvironment = .inherited()) {
        isOn = isatty(descriptor) == 1 && Style.isWanted(environment)
    }

    static func isWanted(_ environment: ProcessEnvironment) -> Bool {
        if let refused = environment["NO_COLOR"], !refused.isEmpty { return false }
        return environment["TERM"] != nil && environment["TERM"] != "dumb" && environment["TERM"] != ""
    }

    func bold(_ text: String) -> String { sgr("1", text) }
    func faint(_ text: String) -> String { sgr("2", text) }
    func error(_ text: String) -> String { sgr("1;31", text) }
    func good(_ text: String) -> String { sgr("32", text) }
    func warning(_ text: String) -> String { sgr("33", text) }

    private func sgr(_ code: String, _ text: String) -> String { isOn ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
}
