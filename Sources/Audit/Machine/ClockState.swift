internal import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Whether this machine's clock is kept right by somebody.
public enum ClockState: Hashable, Sendable {
    case synchronised
    /// Nobody tells the kernel what time it is.
    case free
    /// The clock is the host's, and so is what the kernel says about it.
    case container
    case unknown

    @Sendable public static func now() -> ClockState {
        switch opk_clock_is_synchronised() {
        case 1: .synchronised
        case 0: isContainer ? .container : .free
        default: .unknown
        }
    }

    private static var isContainer: Bool {
        ["/.dockerenv", "/run/.containerenv", "/run/systemd/container"].contains { FileFacts($0) != nil }
    }
}
