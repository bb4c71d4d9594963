import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One question and its answer over a socket, within a deadline.
struct FetchSocket: ~Copyable {
    private let descriptor: Int32
    private let stream: TimedStream

    enum Failure: Error {
        /// errno of the connection.
        case connection(Int32)
        case broken(TimedStream.Failure)
    }

    /// - Parameter deadline: in milliseconds from now, for everything.
    init(_ path: String, deadline: Int64) throws(Failure) {
        let end = TimedStream.now() + deadline
        while true {
            let connected = unsafe opk_connect_unix(path)
            if connected >= 0 {
                descriptor = connected
                stream = TimedStream(descriptor: connected, end: end)
                return
            }
            // Its queue is full: others are before us.
            guard errno == EAGAIN || errno == EINTR, TimedStream.now() < end else { throw .connection(errno) }
            usleep(20_000)
        }
    }

    deinit { close(descriptor) }

    /// Says everything, and that this was everything.
    func send(_ bytes: [UInt8]) throws(Failure) {
        do { try stream.send(bytes) } catch { throw .broken(error) }
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// All that comes until the other side closes.
    func receive(limit: Int) throws(Failure) -> [UInt8] {
        do { return try stream.receive(limit: limit) } catch { throw .broken(error) }
    }
}
