import Foundation
import Testing

/// Every page that opk shows, looked at in a real browser. The screenshots stay in .build/test-output/screenshots.
@Suite("In Chromium: the pages", .serialized, .enabled(if: Machine.hasChromium, Machine.noChromium))
struct ChromiumPagesTests {
    /// A laptop, a demo provider, `opk login` at it, and Chromium.
    func withLogin(
        _ provider: [String] = [], opens: Bool = false,
        _ body: (BrowserLogin, Chromium) async throws -> Void
    ) async throws {
        let laptop = try Laptop()
        defer { laptop.clean() }
        let provider = try await DemoProviderProcess.start(laptop, ["--key-type", "ES256"] + provider)
        let login: BrowserLogin
        do {
            login = try BrowserLogin(
                laptop,
                [
                    "--provider", provider.clientSpecification, "--redirect-uri", "http://localhost:0/login-callback", "-i",
                    laptop.path("key"),
                ], opens: opens)
        } catch {
            await provider.stop()
            throw error
        }
        do {
            try await body(login, Chromium(laptop: laptop))
        } catch {
            await login.stop()
            await provider.stop()
            throw error
        }
        await login.stop()
        await provider.stop()
    }

    @Test(
        "done: says who, until when and what next; the strays before it do no harm; no code stays in the address bar or in the history (C19)"
    )
    func done() async throws {
        try await withLogin { login, chromium in
            let callback = try await login.callbackAddress()
            let base = callback.replacingOccurrences(of: "/login-callback", with: "")
            let seen = try await chromium.drive([
                .go(base + "/nothing"), .heading("There is nothing at this address"), .look("nothing-here"),
                .go(callback + "?code=x&state=y"), .heading("This is not the answer"), .look("stray"),
                .go(try await login.printedAddress()), .press("alice"), .forget, .heading("You are logged in"), .look("done"), .history,
            ])
            #expect(try await login.end() == 0, "\(login.text)")
            try expectGoodPage(seen[2])
            try expectGoodPage(seen[5])
            let page = try expectGoodPage(seen[10])
            #expect(page.text.contains("alice@example.com") && page.text.contains("until 20") && page.text.contains("close this tab"))
            let history = try #require(seen[11].entries)
            #expect(seen[11].address?.hasPrefix(base + "/done/") == true)
            #expect(history.count >= 2 && history.allSatisfy { !$0.contains("code=") || $0.hasSuffix("?code=x&state=y") })
        }
    }

    @Test("refused: what the provider said, and that the terminal knows more")
    func refused() async throws {
        try await withLogin { login, chromium in
            let seen = try await chromium.drive([
                .go(try await login.printedAddress()), .press("Refuse"), .heading("The provider said no"), .look("refused"),
            ])
            #expect(try await login.end() == 1)
            let page = try expectGoodPage(seen[3])
            #expect(page.text.contains("access_denied") && page.text.contains("Nothing was written"))
        }
    }

    @Test("C19: hostile words of the provider are shown as text, in full width, and do nothing")
    func hostile() async throws {
        let words = #"<script>document.title='x'</script><img src=x onerror=alert(1)>"# + String(repeating: "w", count: 200)
        let control = #"{"auto_login": "refuse", "override": {"callback": {"error_description": "\#(words)"}}}"#
        try await withLogin(["--control", control]) { login, chromium in
            let seen = try await chromium.drive([
                .go(try await login.printedAddress()), .heading("The provider said no"), .look("refused-hostile"),
            ])
            #expect(try await login.end() == 1)
            let page = try expectGoodPage(seen[2])
            #expect(page.text.contains("<script>") && page.title == "The provider said no – opk")
        }
    }

    @Test("failed: that nothing was written, and where the reason is")
    func failed() async throws {
        try await withLogin(["--fault", "token=status:500"]) { login, chromium in
            let seen = try await chromium.drive([
                .go(try await login.printedAddress()), .press("alice"), .heading("The login did not succeed"), .look("failed"),
            ])
            #expect(try await login.end() == 1)
            #expect(try expectGoodPage(seen[3]).text.contains("Nothing was written"))
        }
    }

    @Test("C38: the browser's own address leads to the provider once; who uses it again is told so, and the login ends")
    func startUsed() async throws {
        try await withLogin(opens: true) { login, chromium in
            let address = try await login.openedAddress()
            let seen = try await chromium.drive([
                .go(address), .heading("Log in"), .go(address), .heading("This address has been used"), .look("start-used"),
            ])
            #expect(try await login.end() == 1)
            #expect(login.text.contains("opened twice"))
            try expectGoodPage(seen[4])
        }
    }
}

/// What every page of ours must be, whoever looks at it and however. Answers with the page as it is on a desk in the light.
@discardableResult
func expectGoodPage(_ seen: Chromium.Seen, choices: [String] = []) throws -> Chromium.Variant {
    let variants = try #require(seen.variants)
    #expect(variants.count == 5)
    for page in variants {
        let what: Comment = "\(page.variant) of \(page.title)"
        #expect(page.lang == "en" && page.title.hasSuffix(" – opk") && page.headings.count == 1 && page.mains == 1, what)
        #expect(page.title == (page.headings.first ?? "") + " – opk", what)
        #expect(page.scripts == 0 && page.handlers == 0 && page.outside == 0, what)
        // WCAG 2.2: 1.4.3 for text, 1.4.11 for the edges of what can be chosen, 1.4.10 for the width, 2.5.8 for the size of targets.
        #expect(page.contrast >= 4.5, "\(page.variant) of \(page.title): \(page.faintest) has \(page.contrast)")
        #expect(page.edge.map { $0 >= 3 } ?? true, what)
        #expect(page.overflow <= 0, what)
        #expect(page.targets.count == choices.count && page.targets.allSatisfy { $0 >= 44 }, what)
        #expect(FileManager.default.fileExists(atPath: page.screenshot), what)
    }
    #expect(Set(variants.map(\.background)).count == 2, "light and dark look alike")
    let tabs = try #require(seen.tabs)
    #expect(tabs.map { $0.text.prefix { $0 != "\n" } } == choices.map { $0.prefix { $0 != "\n" } })
    #expect(tabs.allSatisfy { $0.outline >= 2 }, "what has the focus is not shown")
    let tree = try #require(seen.tree)
    #expect(tree.contains { $0.role == "main" })
    #expect(tree.filter { $0.role == "heading" }.map(\.name) == variants[0].headings)
    #expect(tree.filter { $0.role == "link" }.count == choices.count)
    // Nothing is asked for elsewhere than on this machine, and nothing at all by the page itself.
    let requests = try #require(seen.requests).filter { $0.hasPrefix("http") }
    #expect(requests.allSatisfy { $0.hasPrefix("http://localhost:") }, "\(requests)")
    return variants[0]
}
