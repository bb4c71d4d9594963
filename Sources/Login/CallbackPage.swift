import Vocabulary

/// The pages of the callback listener, above all the one at the end of a login: what happened, and what to do next.
///
/// Whatever comes from the provider or from the request is escaped; no code, state or token is ever on a page (C19).
enum CallbackPage {
    case done(who: Text, until: String?)
    /// The provider said no. Its words are hostile.
    case refused(error: Text, description: Text?)
    /// The login failed here; what exactly stands in the terminal.
    case failed
    case stray(StrayRequest)
    /// Leads on to the provider's login page, a URL of harmless characters.
    case start(String)
    /// The start address, asked for a second time.
    case startUsed
    /// The answer has come: leads to the path of the page that will say how the login ended.
    case wait(Text)

    var status: String {
        switch self {
        case .done: "200 OK"
        case .refused: "403 Forbidden"
        case .failed: "502 Bad Gateway"
        case .stray(let stray): stray.status
        case .start: "302 Found"
        case .startUsed: "410 Gone"
        case .wait: "303 See Other"
        }
    }

    /// The whole HTTP/1.1 response; for a HEAD request without the body.
    func response(withoutBody: Bool = false) -> [UInt8] {
        let (mark, title, blocks) = content
        return LocalPage(status: status, location: location, mark: mark, title: title, blocks: blocks).response(withoutBody: withoutBody)
    }

    private var location: String? {
        switch self {
        case .start(let destination): Browser.isHarmless(destination) ? destination : nil
        case .wait(let path): path.string
        default: nil
        }
    }

    /// A mark, a heading and blocks; everything foreign in them is escaped here.
    private var content: (mark: LocalPage.Mark, title: String, blocks: [String]) {
        switch self {
        case .done(let who, let until):
            let end = until.map { "until \(LocalPage.escaped(Text($0)))" } ?? "for as long as servers allow"
            return (
                .good, "You are logged in",
                [
                    "<p>Logged in as <strong>\(LocalPage.escaped(who))</strong>. Your key is good \(end).</p>",
                    "<p>You can close this tab and go back to your terminal.</p>",
                ]
            )
        case .refused(let error, let description):
            let code = "<code>\(LocalPage.escaped(error))</code>"
            return (
                .bad, "The provider said no",
                [
                    error == "access_denied"
                        ? "<p>The login was cancelled or refused at your identity provider (\(code)).</p>"
                        : "<p>Your identity provider answered \(code).</p>",
                    description.map { "<blockquote>\(LocalPage.escaped($0))</blockquote>" },
                    CallbackPage.backToTerminal("what to do next"),
                ].compactMap(\.self)
            )
        case .failed: return (.bad, "The login did not succeed", [CallbackPage.backToTerminal("why, and what to do next")])
        case .stray(.otherPath):
            return (.strange, "There is nothing at this address", ["<p>If a login is under way, it goes on waiting.</p>"])
        case .stray(let stray):
            return (
                .strange, "This is not the answer that was awaited",
                ["<p>\(stray.explanation)</p>", "<p>If a login is under way, it goes on waiting.</p>"]
            )
        case .start: return (.onward, "To your identity provider", ["<p>Your browser should go there by itself.</p>"])
        case .startUsed:
            return (
                .bad, "This address has been used",
                [
                    "<p>It works once. If it was not you who used it, somebody else on this machine has read it.</p>",
                    CallbackPage.backToTerminal("what to do next"),
                ]
            )
        case .wait: return (.onward, "The answer has come", ["<p>Your browser should go on by itself.</p>"])
        }
    }

    private static func backToTerminal(_ says: String) -> String {
        "<p>Nothing was written. Your terminal says \(says); you can close this tab.</p>"
    }
}
