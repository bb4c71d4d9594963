import ChildProcess
import KeyCache
import PKToken
import Vocabulary

/// Fetching for an explanation, in processes of its own: they become the cache's owner, and what root reads afterwards is still root's.
struct ExplainFetch {
    let configFolder: String
    let cacheFolder: String

    private var folders: [String] { ["--config-dir", configFolder, "--cache-dir", cacheFolder] }

    /// Milliseconds.
    private static let deadline = 60_000

    /// As `opk keys refresh`; a sentence where it fails.
    func keys(of issuer: Text) -> String? {
        guard let program = SystemOutside.program("opk") else { return "where opk lies cannot be told" }
        let outcome: ChildProcess.Outcome
        do {
            outcome = try ChildProcess.run(
                program, ["keys", "refresh", "--quiet"] + folders + ["--", issuer.string], environment: .inherited(),
                outputLimit: 64 << 10, errorOutput: .captured(limit: 4096), deadline: ExplainFetch.deadline)
        } catch { return "\(error)" }
        if outcome.succeeded { return nil }
        return outcome.errorOutput.isEmpty ? "opk keys refresh failed" : escaped(outcome.errorOutput.prefix { $0 != 0x0A }, limit: 512)
    }

    /// The body of the provider's answer.
    func userinfo(of issuer: Text, _ token: Secret) -> [UInt8]? {
        guard let program = SystemOutside.program("opk-fetch") else { return nil }
        let request = FetchRequest(.userinfo, of: issuer, accessToken: token)
        let outcome = try? ChildProcess.run(
            program, folders + ["serve"], environment: .inherited(), input: request.text, outputLimit: FetchAnswer.maximumSize,
            errorOutput: .captured(limit: 1024), deadline: ExplainFetch.deadline)
        guard let outcome, case .fetched(let content, _)? = FetchAnswer(parsing: outcome.output) else { return nil }
        return content
    }
}
