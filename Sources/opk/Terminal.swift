import ArgumentParser
import KeyAdministration
import Login
import PolicyAdministration

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Standard output is for what a person or a script asked for, standard error for everything on the way: a login that ssh started by
/// itself must not speak on ssh's own standard output.
enum Terminal {
    static func print(_ line: String) throws(LoginError) { try write(Array((line + "\n").utf8)) }

    /// Where nobody can be told, nobody is.
    static func note(_ line: String) { _ = send(Array((line + "\n").utf8), to: STDERR_FILENO) }

    /// All of it, or an error: half a key in a pipe must not look like success.
    static func write(_ bytes: [UInt8]) throws(LoginError) {
        if let number = failure(writing: bytes) { throw .output(errno: number) }
    }

    /// Nil where all of it was written, else an errno.
    static func failure(writing bytes: [UInt8]) -> Int32? { send(bytes, to: STDOUT_FILENO) ? nil : errno }

    /// False with errno set.
    private static func send(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            // Unsafe: write() reads the bytes that it is told the number of.
            let written = unsafe rest.withUnsafeBytes { unsafe systemWrite(descriptor, $0.baseAddress, $0.count) }
            if written < 0 && errno == EINTR { continue }
            guard written >= 0 else { return false }
            rest = rest.dropFirst(written)
        }
        return true
    }
}

/// An error that a person is told: `opk: error: …`, and `opk: hint: …` where the next step can be guessed.
protocol ToldError: Error, CustomStringConvertible {
    var hint: String? { get }
    /// Whether the command was called wrongly: nothing was tried.
    var isUsage: Bool { get }
    /// Rows of files that belong to it, one a line.
    var rows: [String] { get }
}

extension ToldError {
    var rows: [String] { [] }
}

extension LoginError: ToldError {}
extension KeysError: ToldError {}
extension PolicyError: ToldError {}

/// Says what went wrong; ends with status 64 for a wrong call, 1 for everything else, and for a `body` that answers false.
func reportingErrors<Failure: ToldError>(_ body: () throws(Failure) -> Bool) throws {
    do throws(Failure) {
        if try body() { return }
    } catch {
        let style = Style.onErrors
        Terminal.note("opk: \(style.error("error:")) \(error)")
        for row in error.rows { Terminal.note("  \(row)") }
        if let hint = error.hint { Terminal.note("opk: \(style.bold("hint:")) \(hint)") }
        throw error.isUsage ? ExitCode.validationFailure : ExitCode.failure
    }
    throw ExitCode.failure
}

// The name of the call is also the name of a method here.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    unsafe write(descriptor, bytes, count)
}
