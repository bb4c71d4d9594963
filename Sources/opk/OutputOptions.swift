import ArgumentParser
import HTTP

/// How much is said on the way; what was asked for is always on standard output.
struct OutputOptions: ParsableArguments {
    @Flag(name: [.customShort("q"), .long], help: "Say nothing but errors on the way.")
    var quiet = false

    @Flag(name: [.customShort("v"), .long], help: "Say what is asked of whom; never a secret.")
    var verbose = false

    func validate() throws {
        guard !quiet || !verbose else { throw ValidationError("--quiet and --verbose cannot be used together") }
    }

    /// A line for the person, unless they want none.
    func note(_ line: String) {
        if !quiet { Terminal.note(line) }
    }

    /// A line for who wants to know everything.
    func detail(_ line: @autoclosure () -> String) {
        if verbose { Terminal.note(Style.onErrors.faint("· " + line())) }
    }

    /// Says of each request what may be said: neither query nor body nor header.
    ///
    /// - Parameter seconds: for one answer; nil for the usual.
    func client(timeout seconds: Int64? = nil) -> HTTPClient { OutputOptions.client(timeout: seconds, isVerbose: verbose) }

    static func client(timeout seconds: Int64? = nil, isVerbose: Bool) -> HTTPClient {
        var client = seconds.map { HTTPClient(timeout: .seconds($0)) } ?? HTTPClient()
        if isVerbose { client.observer = { Terminal.note(Style.onErrors.faint("· " + OutputOptions.line($0))) } }
        return client
    }

    private static func line(_ exchange: HTTPClient.Exchange) -> String {
        let milliseconds = exchange.duration / .milliseconds(1)
        let outcome: String
        switch exchange.outcome {
        case .success(let status): outcome = "\(status)"
        case .failure(let error): outcome = "\(error.code)"
        }
        return "\(exchange.method) \(exchange.url): \(outcome), \(Int(milliseconds.rounded())) ms"
    }
}
