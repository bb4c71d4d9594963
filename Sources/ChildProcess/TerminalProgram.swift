internal import CSystem
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension ChildProcess {
    /// Runs a program that a person works with, an editor for instance: in this process's terminal, session and environment, without a shell.
    /// Ctrl-C is the program's meanwhile.
    ///
    /// - Parameter arguments: what follows the program's own path.
    public static func runInTerminal(_ program: String, _ arguments: [String]) throws(ChildFailure) -> Ending {
        guard program.utf8.first == UInt8(ascii: "/") else { throw ChildFailure(program: program, reason: .notAbsolute) }
        let words = ([program] + arguments).map { Array($0.utf8) }
        if words.contains(where: { $0.contains(0) }) { throw ChildFailure(program: program, reason: .containsNUL) }
        let packed: [UInt8] = words.reduce(into: []) { bytes, word in bytes += word + [0] }
        var status: Int32 = 0
        // The array outlives the call, which keeps none of it.
        let error = unsafe opk_run_foreground(program, packed, packed.count, &status)
        guard error == 0 else { throw ChildFailure(program: program, reason: .system(errno: error)) }
        return status & 0x7F == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal: status & 0x7F)
    }
}
