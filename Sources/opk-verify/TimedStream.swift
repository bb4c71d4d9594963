import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Bytes to and from a socket, until a deadline. The socket is somebody else's to close.
struct TimedStream {
    let descriptor: Int32
    /// On the clock of `now`.
    let end: Int64

    enum Failure: Error {
        case timedOut
        case tooMuch
        case cutOff
    }

    /// Milliseconds of a clock that nobody sets.
    static func now() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    func send(_ bytes: [UInt8]) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            // At most the bytes that are left, which outlive the call.
            let count = unsafe rest.withUnsafeBufferPointer { unsafe opk_send(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest.removeFirst(count)
            } else if errno == EAGAIN || errno == EWOULDBLOCK {
                try wait(POLLOUT)
            } else if errno != EINTR {
                throw .cutOff
            }
        }
    }

    /// All that comes until the other side closes.
    func receive(limit: Int) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = try receive(into: &buffer, atMost: buffer.count)
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            if bytes.count > limit { throw .tooMuch }
        }
    }

    func receive(exactly wanted: Int) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: min(wanted, 16 << 10))
        while bytes.count < wanted {
            let count = try receive(into: &buffer, atMost: min(buffer.count, wanted - bytes.count))
            if count == 0 { throw .cutOff }
            bytes += buffer[..<count]
        }
        return bytes
    }

    /// 0 at the end of the stream.
    private func receive(into buffer: inout [UInt8], atMost limit: Int) throws(Failure) -> Int {
        while true {
            try wait(POLLIN)
            // At most `limit` bytes, which the buffer has.
            let count = unsafe read(descriptor, &buffer, limit)
            if count >= 0 { return count }
            if errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR { throw .cutOff }
        }
    }

    private func wait(_ event: Int32) throws(Failure) {
        let left = end - TimedStream.now()
        guard left > 0 else { throw .timedOut }
        var request = pollfd(fd: descriptor, events: Int16(event), revents: 0)
        // What comes of it the next call says; a poll that waited for nothing is asked again.
        while unsafe poll(&request, 1, Int32(clamping: max(0, end - TimedStream.now()))) < 0 && errno == EINTR {}
        guard request.revents != 0 else { throw .timedOut }
    }
}
