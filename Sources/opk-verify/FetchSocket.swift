import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One question and its answer over a socket, within a deadline.
struct FetchSocket: ~Copyable {
    private let descriptor: Int32
    private let end: Int64

    enum Failure: Error {
        /// errno of the connection.
        case connection(Int32)
        case timedOut
        case tooMuch
        case cutOff
    }

    /// - Parameter deadline: in milliseconds from now, for everything.
    init(_ path: String, deadline: Int64) throws(Failure) {
        end = FetchSocket.now() + deadline
        while true {
            let connected = unsafe opk_connect_unix(path)
            if connected >= 0 {
                descriptor = connected
                return
            }
            // Its queue is full: others are before us.
            guard errno == EAGAIN || errno == EINTR, FetchSocket.now() < end else { throw .connection(errno) }
            usleep(20_000)
        }
    }

    deinit { close(descriptor) }

    /// Says everything, and that this was everything.
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
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// All that comes until the other side closes.
    func receive(limit: Int) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            // At most the buffer's own length.
            let count = unsafe read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            if count > 0 {
                bytes += buffer[..<count]
                if bytes.count > limit { throw .tooMuch }
            } else if errno == EAGAIN || errno == EWOULDBLOCK {
                try wait(POLLIN)
            } else if errno != EINTR {
                throw .cutOff
            }
        }
    }

    private func wait(_ event: Int32) throws(Failure) {
        let left = end - FetchSocket.now()
        guard left > 0 else { throw .timedOut }
        var request = pollfd(fd: descriptor, events: Int16(event), revents: 0)
        _ = unsafe poll(&request, 1, Int32(clamping: left))
    }

    /// Milliseconds of a clock that nobody sets.
    static func now() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
