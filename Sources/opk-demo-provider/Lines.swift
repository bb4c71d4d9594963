#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One line on standard output, at once.
func say(_ line: String) {
    writeAll(line + "\n", to: STDOUT_FILENO)
}

/// One line on standard error.
func complain(_ line: String) {
    writeAll(line + "\n", to: STDERR_FILENO)
}

private func writeAll(_ text: String, to descriptor: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        // Unsafe: write() reads the bytes that it is told the number of.
        let written = unsafe rest.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
        guard written > 0 else { return }
        rest = rest.dropFirst(written)
    }
}
