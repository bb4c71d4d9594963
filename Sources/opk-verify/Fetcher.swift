import CSystem
import ChildProcess
import KeyCache
import Policy
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// opk-fetch, which does all network work, asked in whatever way it can be reached (`FetchMode`).
struct Fetcher {
    let mode: FetchMode
    /// For the child's command line, where they are not the defaults.
    let configFolder: String
    let cacheFolder: String

    /// Why nothing was fetched: what opk-fetch said, or why it could not be asked.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    struct Answer {
        let content: [UInt8]
        /// What opk-fetch had to say beside it: that keys cannot be kept, for instance.
        let warnings: [String]
    }

    /// - Parameter deadline: in milliseconds from now.
    func ask(_ request: FetchRequest, within deadline: Int64) throws(Failure) -> Answer {
        let said: [UInt8]
        switch mode {
        case .direct, .sudo: said = try run(request, deadline)
        case .socket(let path): said = try converse(request, path, deadline)
        }
        switch FetchAnswer(parsing: said) {
        case .fetched(let content, let warnings): return Answer(content: content, warnings: warnings)
        case .failed(let sentence): throw Failure(description: sentence)
        case nil: throw Failure(description: "opk-fetch answered nonsense: are opk-verify and opk-fetch of the same version?")
        }
    }

    /// Has the keys renewed, and does not wait for it. Whether that works shows in the cache, at the next login.
    func refresh(_ issuer: Text) throws(Failure) {
        let request = FetchRequest(.refresh, of: issuer)
        switch mode {
        case .direct, .sudo:
            let (program, arguments) = try command()
            do {
                try ChildProcess.spawnDetached(program, arguments, environment: .inherited(), input: request.text)
            } catch {
                throw Failure(description: "\(error)")
            }
        case .socket(let path):
            do {
                try FetchSocket(path, deadline: 100).send(request.text)
            } catch {
                throw Fetcher.failure(error, path, 100)
            }
        }
    }

    private func run(_ request: FetchRequest, _ deadline: Int64) throws(Failure) -> [UInt8] {
        let (program, arguments) = try command()
        let outcome: ChildProcess.Outcome
        do {
            outcome = try ChildProcess.run(
                program, arguments, environment: .inherited(), input: request.text, outputLimit: FetchAnswer.maximumSize,
                errorOutput: .captured(limit: 1024), deadline: Int(deadline))
        } catch {
            throw Failure(description: "\(error)")
        }
        // A refusal comes with its answer; without one it is sudo's, or a crash's.
        if case .exited = outcome.ending, !outcome.output.isEmpty { return outcome.output }
        let reason = Fetcher.reason(outcome, deadline)
        if case .sudo = mode {
            throw Failure(
                description:
                    "\(reason) (asked through sudo, which can wait for name resolution: is opk-fetch.socket running, or the rule /etc/sudoers.d/opk there?)"
            )
        }
        throw Failure(description: reason)
    }

    private static func reason(_ outcome: ChildProcess.Outcome, _ deadline: Int64) -> String {
        switch outcome.ending {
        case .timedOut: "opk-fetch did not answer within \(seconds(deadline)) s"
        case .killed(let signal): "opk-fetch was ended by signal \(signal)"
        case .tooMuchOutput: "opk-fetch answered too much"
        case .exited:
            outcome.errorOutput.isEmpty ? "opk-fetch answered nothing" : escaped(outcome.errorOutput.prefix { $0 != 0x0A }, limit: 512)
        }
    }

    private static func seconds(_ milliseconds: Int64) -> String { "\(milliseconds / 1000).\(milliseconds % 1000 / 100)" }

    private func converse(_ request: FetchRequest, _ path: String, _ deadline: Int64) throws(Failure) -> [UInt8] {
        do {
            let socket = try FetchSocket(path, deadline: deadline)
            try socket.send(request.text)
            return try socket.receive(limit: FetchAnswer.maximumSize)
        } catch {
            throw Fetcher.failure(error, path, deadline)
        }
    }

    private static func failure(_ error: FetchSocket.Failure, _ path: String, _ deadline: Int64) -> Failure {
        switch error {
        case .connection(let number):
            // Copied before anything else can ask for a text.
            let text = unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
            return Failure(description: "opk-fetch cannot be reached at \(path): \(text)")
        case .timedOut: return Failure(description: "opk-fetch did not answer within \(seconds(deadline)) s")
        case .tooMuch: return Failure(description: "opk-fetch answered too much")
        case .cutOff: return Failure(description: "the connection to opk-fetch broke")
        }
    }

    /// Under sudo the command is the one that the rule allows, to the letter: without an argument of ours but `serve`.
    private func command() throws(Failure) -> (program: String, arguments: [String]) {
        guard let program = Fetcher.path else { throw Failure(description: "where opk-fetch lies cannot be told") }
        var arguments: [String] = []
        if configFolder != Arguments.defaultConfigFolder { arguments += ["--config-dir", configFolder] }
        if cacheFolder != KeyCache.defaultDirectory { arguments += ["--cache-dir", cacheFolder] }
        arguments.append("serve")
        guard case .sudo(let user) = mode else { return (program, arguments) }
        return (Fetcher.sudo, ["-n", "-u", "#\(user)", "--", program] + arguments)
    }

    private static let sudo = "/usr/bin/sudo"

    private static var path: String? { folder.map { $0 + "opk-fetch" } }

    /// The folder of this very program, with a slash at its end: not the working folder's, not PATH's.
    static var folder: String? {
        // The text is copied.
        unsafe opk_own_folder().flatMap { unsafe String(validatingCString: $0) }
    }
}
