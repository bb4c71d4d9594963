#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// False where the reader has gone or the disk is full.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var written = 0
    while written < bytes.count {
        // At most the bytes that are left, from an array that outlives the call.
        let count = unsafe bytes.withUnsafeBytes { all in
            unsafe write(descriptor, all.baseAddress?.advanced(by: written), all.count - written)
        }
        if count < 0 {
            if errno == EINTR { continue }
            return false
        }
        written += count
    }
    return true
}

/// All of standard input; nil where there is more than `limit` bytes, or an error.
func readStandardInput(limit: Int) -> [UInt8]? {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while bytes.count <= limit {
        // At most the buffer's own length.
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(STDIN_FILENO, $0.baseAddress, $0.count) }
        if count == 0 { return bytes }
        if count < 0 {
            if errno == EINTR { continue }
            return nil
        }
        bytes += buffer[..<count]
    }
    return nil
}

/// One line on standard error.
func say(_ sentence: String) {
    _ = writeAll(Array("opk-fetch: \(sentence)\n".utf8), to: STDERR_FILENO)
}
