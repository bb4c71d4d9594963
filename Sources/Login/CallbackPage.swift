import JOSE
import LibCrypto
import Vocabulary

/// The pages that the browser shows, above all at the end of a login: fixed text, no script, nothing from outside, light and dark (C19).
///
/// Whatever comes from the provider or from the request is escaped; no code, state or token is ever on a page.
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

    var status: String {
        switch self {
        case .done: "200 OK"
        case .refused: "403 Forbidden"
        case .failed: "502 Bad Gateway"
        case .stray(let stray): stray.status
        case .start: "302 Found"
        case .startUsed: "410 Gone"
        }
    }

    /// The whole HTTP/1.1 response; for a HEAD request without the body.
    func response(withoutBody: Bool = false) -> [UInt8] {
        let body = Array(html.utf8)
        let fields = [
            "HTTP/1.1 \(status)",
            "Content-Type: text/html; charset=utf-8",
            "Content-Length: \(body.count)",
            "Content-Security-Policy: default-src 'none'; style-src 'sha256-\(CallbackPage.styleDigest)'; base-uri 'none'; "
                + "form-action 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options: nosniff",
            "X-Frame-Options: DENY",
            "Referrer-Policy: no-referrer",
            "Cross-Origin-Opener-Policy: same-origin",
            "Cross-Origin-Resource-Policy: same-origin",
            "Cache-Control: no-store",
            status.hasPrefix("405") ? "Allow: GET" : nil,
            location.map { "Location: \($0)" },
            "Connection: close",
        ]
        let head = Array((fields.compactMap(\.self).joined(separator: "\r\n") + "\r\n\r\n").utf8)
        return withoutBody ? head : head + body
    }

    private var location: String? {
        guard case .start(let destination) = self, Browser.isHarmless(destination) else { return nil }
        return destination
    }

    private var html: String {
        let (mark, title, paragraphs) = content
        let text = paragraphs.map { "<p>\($0)</p>" }.joined(separator: "\n")
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(title) – opk</title>
            <style>\(CallbackPage.style)</style>
            </head>
            <body>
            <main>
            <div class="mark" aria-hidden="true">\(mark)</div>
            <h1>\(title)</h1>
            \(text)
            </main>
            </body>
            </html>

            """
    }

    /// A mark, a heading and paragraphs; everything foreign in them is escaped here.
    private var content: (mark: String, title: String, paragraphs: [String]) {
        switch self {
        case .done(let who, let until):
            let whose = "<strong>" + CallbackPage.escaped(who) + "</strong>"
            let end = until.map { " Your key is good until " + CallbackPage.escaped(Text($0)) + "." } ?? ""
            return ("✓", "You are logged in", ["Logged in as \(whose).\(end)", "You can close this page and go back to your terminal."])
        case .refused(let error, let description):
            let words = description.map { "<p class=\"quote\">" + CallbackPage.escaped($0) + "</p>" } ?? ""
            return (
                "✗", "The provider said no",
                [
                    "Your identity provider answered <code>\(CallbackPage.escaped(error))</code>.\(words)",
                    "Nothing was written. The terminal says what to do next.",
                ]
            )
        case .failed:
            return ("✗", "The login did not succeed", ["Nothing was written. The terminal says why."])
        case .stray(let stray):
            return ("–", "This is not the answer that was awaited", [stray.explanation, "If a login is under way, it goes on waiting."])
        case .start:
            return ("→", "To your identity provider", ["Your browser should go there by itself."])
        case .startUsed:
            return (
                "✗", "This address has been used",
                [
                    "It works once. If it was not you who used it, somebody else on this machine has read it.",
                    "The login was ended and nothing was written. The terminal says what to do next.",
                ]
            )
        }
    }

    /// For HTML text and quoted attributes. Invisible and direction-changing characters are already gone with `Text.escaped`.
    static func escaped(_ text: Text) -> String {
        var out = ""
        for character in text.escaped(limit: 300).unicodeScalars {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }

    private static let style = """
        :root{color-scheme:light dark;--back:#f5f6f8;--card:#fff;--text:#1c1f24;--soft:#59616c;--line:#dfe3e8}
        @media (prefers-color-scheme:dark){:root{--back:#15171b;--card:#1e2126;--text:#eceff3;--soft:#a4adb9;--line:#343a43}}
        body{margin:0;min-height:100vh;display:flex;align-items:center;justify-content:center;background:var(--back);color:var(--text);\
        font:1.05rem/1.55 system-ui,sans-serif}
        main{max-width:32rem;margin:1.5rem;padding:2rem 2.25rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem;\
        overflow-wrap:anywhere}
        .mark{font-size:2rem;line-height:1}
        h1{font-size:1.4rem;line-height:1.3;margin:.75rem 0}
        p{margin:.75rem 0}
        .quote{padding-left:1rem;border-left:3px solid var(--line);color:var(--soft)}
        """

    /// The policy allows this one style sheet and nothing else (CSP level 2, section 7.18).
    private static let styleDigest = Base64.encode(Digest.sha256(Array(style.utf8)))
}
