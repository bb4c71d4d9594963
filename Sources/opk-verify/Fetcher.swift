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

/// opk-fetch, which lies beside this program and does all network work.
struct Fetcher {
    let cacheFolder: String

    /// Why nothing was fetched: what opk-fetch said, or why it could not be asked.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Milliseconds for one call: discovery and keys, with the fetcher's own 5 s for each transfer within it.
    private static let deadline = 7_000
    private static let outputLimit = 2 << 20

    /// - Returns: the keys, and what opk-fetch had to say beside them: that they cannot be kept, for instance.
    func keys(of issuer: Text, unknownKeyID: Bool, environment: [ServerConfig.Variable]) throws(Failure) -> (
        keys: CachedKeys, warning: String?
    ) {
        let arguments = ["keys", issuer.string] + (unknownKeyID ? ["--unknown-kid"] : [])
        let outcome = try run(arguments, input: [], environment)
        guard let keys = CachedKeys(parsing: outcome.output, issuer: issuer) else {
            throw Failure(description: "opk-fetch answered nonsense")
        }
        return (keys, Fetcher.firstLine(outcome.errorOutput))
    }

    /// - Parameter accessToken: goes to the child's standard input, never onto a command line.
    func userinfo(of issuer: Text, accessToken: Secret, environment: [ServerConfig.Variable]) throws(Failure) -> [UInt8] {
        try run(["userinfo", issuer.string], input: accessToken.exposed, environment).output
    }

    private func run(_ arguments: [String], input: [UInt8], _ variables: [ServerConfig.Variable]) throws(Failure)
        -> ChildProcess.Outcome
    {
        guard let program = Fetcher.path else { throw Failure(description: "where opk-fetch lies cannot be told") }
        var environment = ProcessEnvironment.inherited()
        for variable in variables { environment[variable.name.string] = variable.value.string }
        let outcome: ChildProcess.Outcome
        do {
            outcome = try ChildProcess.run(
                program, ["--cache-dir", cacheFolder] + arguments, environment: environment, input: input,
                outputLimit: Fetcher.outputLimit, errorOutput: .captured(limit: 1024), deadline: Fetcher.deadline)
        } catch {
            throw Failure(description: "\(error)")
        }
        guard outcome.succeeded else { throw Failure(description: Fetcher.reason(outcome)) }
        return outcome
    }

    private static func reason(_ outcome: ChildProcess.Outcome) -> String {
        switch outcome.ending {
        case .timedOut: "opk-fetch did not answer within \(deadline / 1000) s"
        case .killed(let signal): "opk-fetch was ended by signal \(signal)"
        default: firstLine(outcome.errorOutput) ?? "opk-fetch failed"
        }
    }

    private static func firstLine(_ output: [UInt8]) -> String? {
        output.isEmpty ? nil : escaped(output.prefix { $0 != 0x0A }, limit: 512)
    }

    private static var path: String? { folder.map { $0 + "opk-fetch" } }

    /// The folder of this very program, with a slash at its end: not the working folder's, not PATH's.
    static var folder: String? {
        // The text is copied.
        unsafe opk_own_folder().flatMap { unsafe String(validatingCString: $0) }
    }
}
