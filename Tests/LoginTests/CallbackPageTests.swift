import Testing
import Vocabulary

@testable import Login

@Suite("CallbackPage: what the browser shows")
struct CallbackPageTests {
    static let hostile: Text = "<script>alert(1)</script>&\"'\u{202E}\n"

    static func text(_ page: CallbackPage) -> String { String(decoding: page.response(), as: UTF8.self) }

    @Test("C19: whatever the provider says is escaped")
    func escaping() {
        for page in [
            CallbackPage.refused(error: CallbackPageTests.hostile, description: CallbackPageTests.hostile),
            .done(who: CallbackPageTests.hostile, until: "<b>"),
        ] {
            let html = CallbackPageTests.text(page)
            #expect(!html.contains("<script"))
            #expect(!html.contains("<b>"))
            #expect(!html.contains("\u{202E}"))
            #expect(html.contains("&lt;script&gt;"))
        }
    }

    @Test("C19: every page forbids scripts and anything from outside, and is not kept")
    func headers() throws {
        let pages =
            [
                CallbackPage.done(who: "a", until: nil), .wait("/done/x"), .refused(error: "e", description: nil), .failed,
                .start("https://x/"), .startUsed,
                .start("https://x/\r\nSet-Cookie: a"),
            ]
            + StrayRequest.allCases.map(CallbackPage.stray)
        for page in pages {
            let text = CallbackPageTests.text(page)
            let end = try #require(text.firstRange(of: "\r\n\r\n"))
            let head = text[..<end.lowerBound]
            for field in [
                "Content-Security-Policy: default-src 'none'; style-src 'sha256-", "X-Content-Type-Options: nosniff",
                "Cache-Control: no-store",
                "Referrer-Policy: no-referrer", "frame-ancestors 'none'", "Connection: close", "Content-Type: text/html; charset=utf-8",
            ] {
                #expect(head.contains(field))
            }
            #expect(!head.contains("Set-Cookie"))
            let body = text[end.upperBound...]
            #expect(head.contains("Content-Length: \(body.utf8.count)\r\n"))
            #expect(body.contains("color-scheme"))
            #expect(!body.contains("<script") && !body.contains("src=") && !body.contains("href="))
            #expect(String(decoding: page.response(withoutBody: true), as: UTF8.self) == head + "\r\n\r\n")
        }
    }
}
