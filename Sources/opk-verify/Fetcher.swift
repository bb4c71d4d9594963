import KeyCache
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// opk-fetch, which does all network work, asked in whatever way it can be reached (`FetchMode`).
enum Fetcher {
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
    static func ask(_ request: FetchRequest, by mode: FetchMode, _ helpers: inout Helpers, within deadline: Int64) throws(Failure) -> Answer
    {
        let said: [UInt8]
        switch mode {
        case .direct, .sudo: said = try ask(&helpers, .fetch, request, deadline)
        case .socket(let path): said = try converse(request, path, deadline)
        }
        switch FetchAnswer(parsing: said) {
        case .fetched(let content, let warnings): return Answer(content: content, warnings: warnings)
        case .failed(let sentence): throw Failure(description: sentence)
        case nil: throw Failure(description: "opk-fetch answered nonsense: are opk-verify and opk-fetch of the same version?")
        }
    }

    /// Has the keys renewed, and does not wait for it. Whether that works shows in the cache, at the next login.
    static func refresh(_ issuer: Text, by mode: FetchMode, _ helpers: inout Helpers) throws(Failure) {
        let request = FetchRequest(.refresh, of: issuer)
        switch mode {
        case .direct, .sudo: _ = try ask(&helpers, .refresh, request, 1000)
        case .socket(let path):
            do {
                try FetchSocket(path, deadline: 100).send(request.text)
            } catch {
                throw Fetcher.failure(error, path, 100)
            }
        }
    }

    private static func ask(
        _ helpers: inout Helpers, _ kind: HelperRequest.Kind, _ request: FetchRequest, _ deadline: Int64
    ) throws(Failure) -> [UInt8] {
        let answer: HelperAnswer
        do {
            answer = try helpers.ask(kind, request.text, within: deadline)
        } catch {
            throw Failure(description: "opk-fetch: \(error)")
        }
        if answer.status == .done { return answer.content }
        throw Failure(description: Text(String(decoding: answer.content, as: UTF8.self)).escapedOnce(limit: 1024))
    }

    static func late(_ milliseconds: Int64) -> String {
        "opk-fetch did not answer within \(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
    }

    private static func converse(_ request: FetchRequest, _ path: String, _ deadline: Int64) throws(Failure) -> [UInt8] {
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
        case .broken(.timedOut): return Failure(description: late(deadline))
        case .broken(.tooMuch): return Failure(description: "opk-fetch answered too much")
        case .broken(.cutOff): return Failure(description: "the connection to opk-fetch broke")
        }
    }
}
