import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A connection for one request and its answer: whatever goes wrong in it, nothing of it can be taken for the answer to the next.
struct AgentConnection: ~Copyable {
    /// Bytes of a frame without its length, as OpenSSH has it on both sides (AGENT_MAX_LEN, MAX_AGENT_REPLY_LEN).
    static let largestFrame = 256 << 10

    private let descriptor: Int32
    /// On the clock of `now`.
    private let end: Int64
    private let patience: Int64

    /// Refuses an agent that is neither this user's nor root's.
    ///
    /// - Parameter patience: milliseconds for everything: the connection, the request and the answer.
    init(_ path: String, patience: Int64) throws(AgentError) {
        let end = AgentConnection.now() + patience
        descriptor = try AgentConnection.connected(path, end, patience)
        self.end = end
        self.patience = patience
    }

    private static func connected(_ path: String, _ end: Int64, _ patience: Int64) throws(AgentError) -> Int32 {
        var descriptor = unsafe opk_connect_unix(path)
        while descriptor < 0 {
            switch errno {
            // Its queue is full: it does not listen just now.
            case EAGAIN, EINTR:
                guard now() < end else { throw .timedOut(milliseconds: patience) }
                usleep(20_000)
            case ENOENT, ENOTDIR: throw .nothingThere(path: path)
            case ECONNREFUSED: throw .ended(path: path)
            default: throw .unreachable(path: path, errno: errno)
            }
            descriptor = unsafe opk_connect_unix(path)
        }
        // Asked of the connection and not of the file: what is at the path may have been changed in between.
        var user: uid_t = 0
        let isKnown = unsafe opk_peer_user(descriptor, &user) == 0
        if isKnown && (user == geteuid() || user == 0) { return descriptor }
        let number = errno
        close(descriptor)
        throw isKnown ? .somebodyElses(path: path, user: user) : .unreachable(path: path, errno: number)
    }

    deinit { close(descriptor) }

    /// Sends one frame and receives one (RFC 9987 section 5: a uint32 of length, then so many bytes).
    ///
    /// - Returns: the answer's bytes without its length; at least one.
    borrowing func ask(_ request: [UInt8]) throws(AgentError) -> [UInt8] {
        guard request.count <= AgentConnection.largestFrame else { throw .tooLarge }
        var length = UInt32(request.count).bigEndian
        try send(unsafe withUnsafeBytes(of: &length) { unsafe Array($0) } + request)
        let header = try receive(exactly: 4)
        let expected = header.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard expected > 0, expected <= UInt32(AgentConnection.largestFrame) else { throw .malformed(.length(expected)) }
        return try receive(exactly: Int(expected))
    }

    private borrowing func send(_ bytes: [UInt8]) throws(AgentError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            // At most the bytes that are left, which outlive the call.
            let count = unsafe rest.withUnsafeBufferPointer { unsafe opk_send(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest.removeFirst(count)
            } else if errno == EAGAIN || errno == EWOULDBLOCK {
                try wait(POLLOUT)
            } else if errno != EINTR {
                throw .hungUp
            }
        }
    }

    /// Memory is taken as bytes come, not as the length promises.
    private borrowing func receive(exactly wanted: Int) throws(AgentError) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: min(wanted, 16 << 10))
        while bytes.count < wanted {
            try wait(POLLIN)
            // At most so many bytes as the buffer has.
            let count = unsafe read(descriptor, &buffer, min(buffer.count, wanted - bytes.count))
            if count == 0 { throw .hungUp }
            if count > 0 {
                bytes += buffer[..<count]
            } else if errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR {
                throw .hungUp
            }
        }
        return bytes
    }

    private borrowing func wait(_ event: Int32) throws(AgentError) {
        var request = pollfd(fd: descriptor, events: Int16(event), revents: 0)
        while true {
            let left = end - AgentConnection.now()
            guard left > 0 else { throw .timedOut(milliseconds: patience) }
            // What comes of it, an error too, the next call says.
            if unsafe poll(&request, 1, Int32(clamping: left)) > 0 { return }
        }
    }

    /// Milliseconds of a clock that nobody sets.
    private static func now() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
