import JOSE
import LibCrypto
import Vocabulary

/// A page that opk itself shows in the browser: fixed text, no script, nothing from outside, light and dark (C19).
///
/// Whatever is foreign in its parts was escaped with `LocalPage.escaped`; no code, state or token is ever on a page.
struct LocalPage {
    /// What the heading says, once more for the eye; those who do not see it miss nothing.
    enum Mark: String {
        case good = "✓"
        case bad = "!"
        case onward = "→"
        case strange = "?"

        fileprivate var kind: String {
            switch self {
            case .good: "good"
            case .bad: "bad"
            case .onward, .strange: "neutral"
            }
        }
    }

    /// HTTP status line without the version (RFC 9110 section 15).
    var status = "200 OK"
    /// Where the browser is to go instead: a path of ours, or a URL of harmless characters.
    var location: String?
    let mark: Mark
    let title: String
    /// Blocks of HTML: paragraphs, a list.
    let blocks: [String]

    /// The whole HTTP/1.1 response; for a HEAD request without the body.
    func response(withoutBody: Bool = false) -> [UInt8] {
        let body = Array(html.utf8)
        let fields = [
            "HTTP/1.1 \(status)",
            "Content-Type: text/html; charset=utf-8",
            "Content-Length: \(body.count)",
            "Content-Security-Policy: default-src 'none'; style-src 'sha256-\(LocalPage.styleDigest)'; base-uri 'none'; "
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

    private var html: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>\(title) – opk</title>
        <style>\(LocalPage.style)</style>
        </head>
        <body>
        <main>
        <div class="mark \(mark.kind)" aria-hidden="true">\(mark.rawValue)</div>
        <h1>\(title)</h1>
        \(blocks.joined(separator: "\n"))
        </main>
        <footer><p>This page comes from opk, on this machine.</p></footer>
        </body>
        </html>

        """
    }

    /// For HTML text and quoted attributes. Invisible and direction-changing characters are already gone with `Text.escaped`.
    static func escaped(_ text: Text, limit: Int = 300) -> String {
        var out = ""
        for character in text.escaped(limit: limit).unicodeScalars {
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

    /// Text has a contrast of at least 4.5 and the edges of what can be chosen of at least 3 (WCAG 2.2, 1.4.3 and 1.4.11).
    private static let style = """
        :root{color-scheme:light dark;--back:#f3f4f7;--card:#fff;--text:#1c1f24;--soft:#565e69;--line:#dfe3e8;--edge:#818a96;\
        --accent:#0b57b8;--good:#17692d;--bad:#a4161a}
        @media (prefers-color-scheme:dark){:root{--back:#14171b;--card:#1e2228;--text:#eceff3;--soft:#a9b2be;--line:#343a43;--edge:#7a8492;\
        --accent:#8fbdff;--good:#6fd08a;--bad:#ff9a9a}}
        *{box-sizing:border-box}
        body{margin:0;min-height:100vh;padding:1rem;display:flex;flex-direction:column;align-items:center;justify-content:center;\
        background:var(--back);color:var(--text);font:1.0625rem/1.55 system-ui,sans-serif}
        main,footer{width:100%;max-width:32rem}
        main{padding:clamp(1.25rem,5vw,2.25rem);background:var(--card);border:1px solid var(--line);border-radius:.875rem;\
        overflow-wrap:anywhere}
        footer{color:var(--soft);font-size:.875rem;text-align:center}
        footer p{margin:.75rem 0 0}
        .mark{width:2.75rem;height:2.75rem;display:flex;align-items:center;justify-content:center;border:2px solid;border-radius:50%;\
        font-size:1.375rem;font-weight:700;line-height:1}
        .good{color:var(--good)}
        .bad{color:var(--bad)}
        .neutral{color:var(--accent)}
        h1{font-size:1.5rem;line-height:1.25;margin:1rem 0 .75rem}
        p,blockquote,ul{margin:.75rem 0}
        main>:last-child,li:last-child{margin-bottom:0}
        blockquote{padding-left:1rem;border-left:3px solid var(--edge);color:var(--soft)}
        code{font-family:ui-monospace,monospace;font-size:.9375em}
        ul{list-style:none;padding:0}
        li{margin:.625rem 0}
        a{display:block;padding:.75rem 1rem;border:1px solid var(--edge);border-radius:.625rem;color:var(--text);text-decoration:none}
        a:hover{border-color:var(--accent);background:var(--back)}
        a strong{display:block;color:var(--accent);text-decoration:underline;text-underline-offset:.15em}
        a span{display:block;color:var(--soft);font-size:.9375rem}
        :focus-visible{outline:3px solid var(--accent);outline-offset:2px}
        @media (forced-colors:active){.mark,main,a{border-color:CanvasText}}
        """

    /// The policy allows this one style sheet and nothing else (CSP level 2, section 7.18).
    private static let styleDigest = Base64.encode(Digest.sha256(Array(style.utf8)))
}
