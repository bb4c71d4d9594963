// opk-home: root reads one file of one account, ~ACCOUNT/.opk/auth_id, for opk-verify, which may not.

import CSystem
import ChildProcess
import Confinement
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

enum ExitStatus {
    static let read: Int32 = 0
    /// It is there and must not be used, or cannot be read; standard error says why, in one line.
    static let unusable: Int32 = 1
    static let wrongCall: Int32 = 2
    /// No such account, no home, no `.opk` or no file.
    static let absent: Int32 = 3
}

let help = """
    usage: opk-home [ACCOUNT]

    Writes the content of ~ACCOUNT/.opk/auth_id to standard output. Without ACCOUNT its name is a line on standard input: so opk-verify
    asks, through sudo. Root becomes the account before it looks at its files. Nothing on the way may be a link, or be written by others.

    Status 0: that is it; 1: it must not be used, or cannot be read (standard error says why); 2: a wrong call; 3: it is not there.
    """

/// False where the reader has gone.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
        // At most the bytes that are left, which outlive the call.
        let count = unsafe rest.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { return false }
        rest.removeFirst(count)
    }
    return true
}

func end(_ status: Int32, _ sentence: String) -> Never {
    _ = writeAll(Array("opk-home: \(sentence)\n".utf8), to: STDERR_FILENO)
    exit(status)
}

/// The one line on standard input; nil for anything else. At most a name's 129 bytes and the line's end are of interest.
func readName() -> [UInt8]? {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 256)
    while bytes.count < buffer.count {
        // At most the buffer's own length.
        let count = unsafe read(STDIN_FILENO, &buffer, buffer.count)
        if count < 0 && errno == EINTR { continue }
        guard count >= 0 else { return nil }
        if count == 0 {
            if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
            return bytes
        }
        bytes += buffer[..<count]
    }
    return nil
}

func answer(about name: String) -> Never {
    let account: Account?
    do {
        account = try Account.look(up: name)
    } catch {
        switch error {
        case .unanswered(let number): end(ExitStatus.unusable, "the account \(name) cannot be looked up: error \(number)")
        case .home: end(ExitStatus.unusable, "the home of the account \(name) is no text")
        }
    }
    guard let account, !account.home.isEmpty else { exit(ExitStatus.absent) }
    guard account.become(name) else { end(ExitStatus.unusable, "root cannot become the account \(name)") }
    do throws(Confinement.Failure) {
        try Confinement.restrict(Access(read: [account.home + "/.opk"]))
    } catch {
        end(ExitStatus.unusable, "Landlock: \(error)")
    }
    do throws(UnsafeFile) {
        guard let content = try HomeFile.read(of: account.user, home: account.home) else { exit(ExitStatus.absent) }
        exit(writeAll(content, to: STDOUT_FILENO) ? ExitStatus.read : ExitStatus.unusable)
    } catch {
        end(ExitStatus.unusable, "\(error)")
    }
}

// sudo and opk-verify wait for 2 seconds.
Confinement.begin(seconds: 3)
guard opk_open_standard_descriptors() == 0 else { exit(ExitStatus.wrongCall) }
// A reader that has gone is an error of write(2).
signal(SIGPIPE, SIG_IGN)
// The system's look-up of an account must not be told by whoever calls where to look.
#if canImport(Glibc)
    clearenv()
#endif

let words = ProcessArguments.words
guard words.count < 2 else { end(ExitStatus.wrongCall, "at most one account is wanted (opk-home --help)") }
switch words.first.map({ String(decoding: $0, as: UTF8.self) }) {
case "--help", "-h": exit(writeAll(Array((help + "\n").utf8), to: STDOUT_FILENO) ? ExitStatus.read : ExitStatus.unusable)
case "--version":
    exit(writeAll(Array("opk-home \(Version.text)\n".utf8), to: STDOUT_FILENO) ? ExitStatus.read : ExitStatus.unusable)
default: break
}
guard let name = words.first ?? readName(), AccountName.isSafe(name) else {
    end(ExitStatus.wrongCall, "one account's name is wanted, as the argument or as a line on standard input")
}
answer(about: String(decoding: name, as: UTF8.self))
