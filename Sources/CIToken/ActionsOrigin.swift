import ChildProcess
import HTTP
import Vocabulary

/// Whose Actions these are: GitHub's or a Forgejo's, told by the address at which a job asks for its identity.
///
///     https://pipelines.actions.githubusercontent.com/…?api-version=2.0
///     https://codeberg.org/api/actions/_apis/pipelines/workflows/42/idtoken?placeholder=true
struct ActionsOrigin {
    let system: CISystem
    let issuer: Text

    private static let gitHubIssuer: Text = "https://token.actions.githubusercontent.com"
    private static let gitHubDomain = ".actions.githubusercontent.com"
    /// Under which a Forgejo serves everything about Actions; its issuer ends there.
    private static let forgejoPath = "/api/actions"

    /// Nil where the address is neither's. An enterprise server of GitHub's own issues in its own name, which no server would take for a
    /// CI's (PROTOCOL section 1).
    init?(requestURL url: WebURL) {
        if url.host.lowercased.hasSuffix(ActionsOrigin.gitHubDomain), url.scheme == .https {
            system = .github
            issuer = ActionsOrigin.gitHubIssuer
            return
        }
        guard let folders = ActionsOrigin.head(of: url.path, before: ActionsOrigin.forgejoPath + "/") else { return nil }
        // What stands before the path stays as it was given: it is compared byte for byte with what tokens say.
        let authority = url.text.utf8.dropFirst(url.scheme.rawValue.utf8.count + 3).prefix { $0 != UInt8(ascii: "/") }
        system = .forgejo
        issuer = Text("\(url.scheme.rawValue)://\(String(decoding: authority, as: UTF8.self))\(folders)\(ActionsOrigin.forgejoPath)")
    }

    init?(_ environment: ProcessEnvironment) {
        guard let text = environment.value(Variable.requestURL), let url = try? WebURL(parsing: text) else { return nil }
        self.init(requestURL: url)
    }

    /// What stands before the first `part`; nil where it is not there.
    private static func head(of path: String, before part: String) -> String? {
        let (bytes, wanted) = (Array(path.utf8), Array(part.utf8))
        guard bytes.count >= wanted.count else { return nil }
        let start = (0...(bytes.count - wanted.count)).first { bytes[$0...].starts(with: wanted) }
        return start.map { String(decoding: bytes[..<$0], as: UTF8.self) }
    }
}
