internal import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Our ends of a child's three standard streams, and what went through them.
struct Conversation: ~Copyable {
    private(set) var output: [UInt8] = []
    private(set) var errorOutput: [UInt8] = []
    /// What the child's side becomes; closed here once it has them. -1: /dev/null.
    private(set) var childInput: Int32 = -1
    private(set) var childOutput: Int32 = -1
    private(set) var childErrors: Int32 = -1

    private var ourInput: Int32 = -1
    private var ourOutput: Int32 = -1
    private var ourErrors: Int32 = -1
    private let inheritsErrors: Bool
    private let input: [UInt8]
    private var sent = 0
    private let outputLimit: Int
    private let errorLimit: Int

    init(_ program: String, input: [UInt8], outputLimit: Int, errorOutput: ChildProcess.ErrorOutput) throws(ChildFailure) {
        self.input = input
        self.outputLimit = outputLimit
        inheritsErrors = errorOutput == .inherited
        if case .captured(let limit) = errorOutput { errorLimit = limit } else { errorLimit = 0 }
        // A socket, because a pipe whose reader is gone would raise SIGPIPE here.
        if !input.isEmpty { (ourInput, childInput) = try unsafe Conversation.ends(program, opk_socketpair) }
        (ourOutput, childOutput) = try unsafe Conversation.ends(program, opk_pipe)
        if inheritsErrors {
            childErrors = STDERR_FILENO
        } else if errorLimit > 0 {
            (ourErrors, childErrors) = try unsafe Conversation.ends(program, opk_pipe)
        }
    }

    deinit {
        for descriptor in [ourInput, ourOutput, ourErrors, childInput, childOutput] where descriptor >= 0 { close(descriptor) }
        if !inheritsErrors && childErrors >= 0 { close(childErrors) }
    }

    mutating func closeChildEnds() {
        if childInput >= 0 { close(childInput) }
        if childOutput >= 0 { close(childOutput) }
        if !inheritsErrors && childErrors >= 0 { close(childErrors) }
        (childInput, childOutput, childErrors) = (-1, -1, -1)
    }

    /// Writes what there is to write and reads what there is to read, until the child has ended. Nil when it ended by itself.
    mutating func hold(with child: pid_t, until end: Int64) -> ChildProcess.Ending? {
        let watch = opk_pidfd(child)
        defer { if watch >= 0 { close(watch) } }
        while true {
            // Asked before reading: all that an ended child wrote is there by now.
            let hasEnded = opk_has_ended(child) != 0
            send()
            let chunk = Conversation.receive(&ourOutput)
            let room = outputLimit - output.count
            output.append(contentsOf: chunk.prefix(room))
            if chunk.count > room { return .tooMuchOutput }
            let complaint = Conversation.receive(&ourErrors)
            errorOutput.append(contentsOf: complaint.prefix(errorLimit - errorOutput.count))
            let left = end - monotonicMilliseconds()
            let isQuiet = chunk.isEmpty && complaint.isEmpty
            // What is left by then comes from its children, who are not waited for.
            if hasEnded && (isQuiet || left <= 0) { return nil }
            if left <= 0 { return .timedOut }
            if isQuiet { wait(watch, watch >= 0 ? left : min(left, 10)) }
        }
    }

    private mutating func send() {
        while ourInput >= 0 && sent < input.count {
            let rest = Array(input[sent..<min(input.count, sent + Conversation.chunk)])
            let count = unsafe opk_send(ourInput, rest, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                // EPIPE: it does not want the rest.
                if errno != EAGAIN && errno != EWOULDBLOCK { sent = input.count }
                break
            }
            sent += count
        }
        if ourInput >= 0 && sent == input.count {
            shutdown(ourInput, Int32(SHUT_WR))
            close(ourInput)
            ourInput = -1
        }
    }

    /// What is there to be read now, up to a chunk. At the end of the stream the descriptor is closed.
    private static func receive(_ descriptor: inout Int32) -> [UInt8] {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard descriptor >= 0, unsafe poll(&request, 1, 0) > 0 else { return [] }
        var buffer = [UInt8](repeating: 0, count: chunk)
        // Writes at most `chunk` bytes into a buffer that outlives the call.
        let count = unsafe read(descriptor, &buffer, chunk)
        if count == 0 || (count < 0 && errno != EINTR) {
            close(descriptor)
            descriptor = -1
        }
        return Array(buffer.prefix(max(0, count)))
    }

    /// Until something may have happened, or that many milliseconds have passed. A negative descriptor is not looked at.
    private func wait(_ watch: Int32, _ milliseconds: Int64) {
        var requests = [
            pollfd(fd: ourInput, events: Int16(POLLOUT), revents: 0), pollfd(fd: ourOutput, events: Int16(POLLIN), revents: 0),
            pollfd(fd: ourErrors, events: Int16(POLLIN), revents: 0), pollfd(fd: watch, events: Int16(POLLIN), revents: 0),
        ]
        _ = unsafe poll(&requests, nfds_t(requests.count), Int32(clamping: milliseconds))
    }

    private static let chunk = 64 << 10

    /// Both ends of what `make` makes; it writes exactly two descriptors.
    private static func ends(_ program: String, _ make: (UnsafeMutablePointer<Int32>) -> Int32) throws(ChildFailure) -> (Int32, Int32) {
        var ends: [Int32] = [-1, -1]
        guard unsafe make(&ends) == 0 else { throw ChildFailure(program: program, reason: .system(errno: errno)) }
        return (ends[0], ends[1])
    }
}
