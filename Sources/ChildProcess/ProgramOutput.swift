internal import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a program writes, piece by piece, while it runs: for output of any length. Its standard input is a descriptor of ours, its standard error is thrown away.
/// However this ends, the program and its process group end with it.
public struct ProgramOutput: ~Copyable {
    private let program: String
    private let child: pid_t
    private var pipe: Int32
    /// By the monotonic clock, in milliseconds.
    private let end: Int64
    private var isReaped = false

    /// - Parameters:
    ///   - input: stays the caller's, and may be closed at once.
    ///   - deadline: for everything, in milliseconds from now.
    public init(
        _ program: String, _ arguments: [String] = [], environment: ProcessEnvironment, input: Int32, deadline: Int
    ) throws(ChildFailure) {
        var ends: [Int32] = [-1, -1]
        // Writes two descriptors.
        guard unsafe opk_pipe(&ends) == 0 else { throw ChildFailure(program: program, reason: .system(errno: errno)) }
        defer { close(ends[1]) }
        do throws(ChildFailure) {
            child = try ChildProcess.spawn(
                program, arguments, environment, input: input, output: ends[1], errors: Int32(OPK_NULL_DEVICE))
        } catch {
            close(ends[0])
            throw error
        }
        self.program = program
        pipe = ends[0]
        end = monotonicMilliseconds() + Int64(max(0, min(deadline, 1 << 40)))
    }

    deinit {
        close(pipe)
        if !isReaped {
            // Unreaped, so its id cannot be another's.
            kill(-child, SIGKILL)
            kill(child, SIGKILL)
            _ = try? ChildProcess.reap(child, program)
        }
    }

    /// What is there, at most `count` bytes, into `buffer` from `offset` on: how many, 0 at the end of the output; nil where the deadline has passed or the
    /// output cannot be read.
    public mutating func read(into buffer: inout [UInt8], at offset: Int, count: Int) -> Int? {
        guard offset >= 0, count > 0, offset + count <= buffer.count else { return nil }
        while true {
            let left = end - monotonicMilliseconds()
            guard left > 0 else { return nil }
            var request = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
            let ready = unsafe poll(&request, 1, Int32(clamping: left))
            if ready < 0 && errno != EINTR { return nil }
            guard ready > 0 else { continue }
            let received = receive(pipe, &buffer, offset, count)
            if received >= 0 { return received }
            if errno != EINTR { return nil }
        }
    }

    /// How it ended, once all of its output was read; waits until the deadline at most.
    public mutating func finish() throws(ChildFailure) -> ChildProcess.Ending {
        while opk_has_ended(child) == 0 {
            guard monotonicMilliseconds() < end else {
                kill(-child, SIGKILL)
                kill(child, SIGKILL)
                isReaped = true
                _ = try ChildProcess.reap(child, program)
                return .timedOut
            }
            // It has closed its output, so there is little left for it to do.
            usleep(1000)
        }
        kill(-child, SIGKILL)
        isReaped = true
        return ChildProcess.ending(try ChildProcess.reap(child, program))
    }
}

// Inside of the type the name is its own.
private func receive(_ descriptor: Int32, _ buffer: inout [UInt8], _ offset: Int, _ count: Int) -> Int {
    // The caller has seen that so many bytes are in the buffer from the offset on.
    unsafe buffer.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress?.advanced(by: offset), count) }
}
