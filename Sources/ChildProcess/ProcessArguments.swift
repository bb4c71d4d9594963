import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// This process's own arguments, as the kernel gave them: bytes of any kind, whatever a preloaded library did to the environment, which
/// Swift's `CommandLine` does not survive.
public enum ProcessArguments {
    /// Without the program's name.
    public static var words: [[UInt8]] {
        (1..<max(1, opk_argument_count())).map { index in
            // The words live as long as the process, each ended by NUL.
            unsafe opk_argument(index).map { unsafe [UInt8](UnsafeRawBufferPointer(start: $0, count: strlen($0))) } ?? []
        }
    }

    /// The same as text; what is not UTF-8 comes out as U+FFFD, which is no name of anything.
    public static var texts: [String] { words.map { String(decoding: $0, as: UTF8.self) } }
}
