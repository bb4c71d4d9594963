internal import CSystem
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A program that could not be started or waited for.
public struct ChildFailure: Error, Hashable, Sendable {
    public let program: String
    public let reason: Reason

    public enum Reason: Hashable, Sendable {
        /// The path does not begin with a slash.
        case notAbsolute
        /// An argument or a variable contains a NUL.
        case containsNUL
        case system(errno: Int32)
    }
}

extension ChildFailure: CustomStringConvertible {
    public var description: String {
        let name = Text(program).escaped
        switch reason {
        case .notAbsolute: return "\(name) is not an absolute path, so it is not run"
        case .containsNUL: return "\(name) cannot be run: an argument or a variable contains a NUL"
        case .system(let number):
            // The text is copied before anything else can ask for one.
            let text = unsafe strerror(number).map { unsafe String(cString: $0) }
            return "\(name) cannot be run: \(text ?? "error \(number)")"
        }
    }
}

/// Programs run without a shell: by absolute path, in a session of their own, with no descriptor but the first three, every signal at its
/// default and none blocked, and an environment that is given whole.
public enum ChildProcess {
    /// Where the child's standard error goes.
    public enum ErrorOutput: Sendable, Hashable {
        case discarded
        case inherited
        /// The first `limit` bytes are kept; the rest is read and thrown away.
        case captured(limit: Int)
    }

    public struct Outcome: Sendable, Hashable {
        public let ending: Ending
        public let output: [UInt8]
        public let errorOutput: [UInt8]

        /// Status 0, in time and within its bounds.
        public var succeeded: Bool { ending == .exited(0) }
    }

    public enum Ending: Sendable, Hashable {
        case exited(Int32)
        case killed(signal: Int32)
        /// The deadline passed; it was killed.
        case timedOut
        /// It wrote more than `outputLimit` bytes; it was killed.
        case tooMuchOutput
    }

    /// Runs the program to its end. When that is reached, by whatever way, everything that is left of its process group is killed.
    ///
    /// - Parameters:
    ///   - arguments: what follows the program's own path.
    ///   - outputLimit: in bytes; one more ends the child.
    ///   - deadline: in milliseconds from now.
    public static func run(
        _ program: String, _ arguments: [String] = [], environment: ProcessEnvironment, input: [UInt8] = [],
        outputLimit: Int = 1 << 20, errorOutput: ErrorOutput = .discarded, deadline: Int
    ) throws(ChildFailure) -> Outcome {
        let end = monotonicMilliseconds() + Int64(max(0, min(deadline, 1 << 40)))
        var conversation = try Conversation(program, input: input, outputLimit: outputLimit, errorOutput: errorOutput)
        let child = try spawn(
            program, arguments, environment, input: conversation.childInput, output: conversation.childOutput,
            errors: conversation.childErrors)
        conversation.closeChildEnds()
        let cutOff = conversation.hold(with: child, until: end)
        // Still unreaped, so neither its id nor its group's can be somebody else's.
        kill(-child, SIGKILL)
        kill(child, SIGKILL)
        let status = try reap(child, program)
        return Outcome(ending: cutOff ?? ending(status), output: conversation.output, errorOutput: conversation.errorOutput)
    }

    /// Starts the program and does not wait for it; it outlives this process and has no part in its terminal.
    ///
    /// - Parameter input: what it finds on its standard input; a pipe must hold it, so 4 KiB at most.
    public static func spawnDetached(
        _ program: String, _ arguments: [String] = [], environment: ProcessEnvironment, input: [UInt8] = []
    ) throws(ChildFailure) {
        let null = Int32(OPK_NULL_DEVICE)
        guard !input.isEmpty else {
            _ = try spawn(program, arguments, environment, input: null, output: null, errors: null)
            return
        }
        var ends: [Int32] = [-1, -1]
        // PIPE_BUF: so much goes into an empty pipe in one piece.
        guard input.count <= 4096, unsafe opk_pipe(&ends) == 0 else {
            throw ChildFailure(program: program, reason: .system(errno: input.count > 4096 ? E2BIG : errno))
        }
        defer { for end in ends { close(end) } }
        guard unsafe write(ends[1], input, input.count) == input.count else {
            throw ChildFailure(program: program, reason: .system(errno: EIO))
        }
        _ = try spawn(program, arguments, environment, input: ends[0], output: null, errors: null)
    }

    static func spawn(
        _ program: String, _ arguments: [String], _ environment: ProcessEnvironment, input: Int32, output: Int32, errors: Int32
    ) throws(ChildFailure) -> pid_t {
        guard program.utf8.first == UInt8(ascii: "/") else { throw ChildFailure(program: program, reason: .notAbsolute) }
        let argumentBytes = ([program] + arguments).map { Array($0.utf8) }
        guard !argumentBytes.contains(where: { $0.contains(0) }), !environment.entries.contains(where: { $0.contains(0) }) else {
            throw ChildFailure(program: program, reason: .containsNUL)
        }
        let argv = packed(argumentBytes)
        let envp = packed(environment.entries)
        var child: pid_t = 0
        // The arrays outlive the call, which keeps none of them.
        let error = unsafe opk_spawn(&child, program, argv, argv.count, envp, envp.count, input, output, errors)
        guard error == 0 else { throw ChildFailure(program: program, reason: .system(errno: error)) }
        return child
    }

    /// One string behind the other, each ended by NUL.
    private static func packed(_ strings: [[UInt8]]) -> [UInt8] {
        strings.reduce(into: []) { bytes, string in bytes += string + [0] }
    }

    static func reap(_ child: pid_t, _ program: String) throws(ChildFailure) -> Int32 {
        var status: Int32 = 0
        while unsafe waitpid(child, &status, 0) < 0 {
            if errno != EINTR { throw ChildFailure(program: program, reason: .system(errno: errno)) }
        }
        return status
    }

    /// wait(2): the low seven bits are the signal, or 0 and the next eight the exit status.
    static func ending(_ status: Int32) -> Ending {
        status & 0x7F == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal: status & 0x7F)
    }
}

func monotonicMilliseconds() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}
