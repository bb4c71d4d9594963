import Vocabulary

/// The pages for people: plain HTML, readable without a style sheet, usable with a keyboard, no script.
enum Pages {
    static func home(issuer: Text) -> String {
        page(
            "Demo OpenID provider",
            """
            <p>This provider is for demonstrations and tests. It listens on this machine's loopback addresses only, and anybody on this
            machine can log in as anybody.</p>
            <dl><dt>Issuer</dt><dd><code>\(escape(issuer))</code></dd></dl>
            <p><a href="\(Endpoint.discovery.rawValue)">Discovery document</a> · <a href="\(Endpoint.device.rawValue)">Approve a device</a></p>
            """)
    }

    /// The buttons send the request again, as a POST to the same URL with `person` in the body.
    static func login(_ request: AuthorizationRequest, parameters: Form) -> String {
        page(
            "Log in",
            """
            <p><strong>\(escape(request.client))</strong> wants to know who you are. Choose a person.</p>
            <form method="post" action="\(escape(Text(Endpoint.authorize.rawValue + "?" + parameters.encoded)))">
            \(personButtons())
            </form>
            """)
    }

    static func deviceCode(problem: String?) -> String {
        page(
            "Approve a device",
            """
            \(problem.map { "<p class=\"problem\" role=\"alert\">\($0)</p>" } ?? "")
            <form method="get" action="\(Endpoint.device.rawValue)">
            <p><label for="user_code">Type the code that the device shows.</label></p>
            <p><input id="user_code" name="user_code" required maxlength="20" autocomplete="off" autocapitalize="characters"
            spellcheck="false"></p>
            <p><button type="submit">Continue</button></p>
            </form>
            """)
    }

    static func deviceApproval(userCode: Text, client: Text) -> String {
        page(
            "Approve a device",
            """
            <p>A device that shows the code <strong class="code">\(escape(userCode))</strong> wants to log in at
            <strong>\(escape(client))</strong>. If that is not your device, refuse.</p>
            <form method="post" action="\(Endpoint.device.rawValue)">
            <input type="hidden" name="user_code" value="\(escape(userCode))">
            \(personButtons())
            </form>
            """)
    }

    static func deviceDone(_ decision: LoginDecision) -> String {
        switch decision {
        case .person(let name):
            page("Approved", "<p>The device is logged in as <strong>\(escape(name))</strong>. You can close this page.</p>")
        case .refuse: page("Refused", "<p>The device was refused. You can close this page.</p>")
        }
    }

    static func loggedOut() -> String {
        page("Logged out", "<p>The session has ended. You can close this page.</p>")
    }

    /// `text` is ours, never what somebody sent.
    static func problem(_ text: String) -> String {
        page("This did not work", "<p class=\"problem\" role=\"alert\">\(text)</p>")
    }

    private static func personButtons() -> String {
        let buttons = Person.all.map { person in
            """
            <li><button type="submit" name="person" value="\(escape(person.name))">\(escape(Text(person.displayName)))
            <small>\(escape(Text(person.remark)))</small></button></li>
            """
        }
        return """
            <ul>
            \(buttons.joined(separator: "\n"))
            </ul>
            <p><button type="submit" class="quiet" name="person" value="refuse">Refuse</button></p>
            """
    }

    private static func page(_ title: String, _ body: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>\(title) – demo provider</title>
        <link rel="stylesheet" href="\(Endpoint.styleSheet.rawValue)">
        </head>
        <body>
        <main>
        <h1>\(title)</h1>
        \(body)
        </main>
        <footer><p>opk demo provider: for demonstrations and tests on this machine only.</p></footer>
        </body>
        </html>

        """
    }

    /// Safe in text and in a quoted attribute.
    static func escape(_ text: Text) -> String {
        var out = ""
        for scalar in text.string.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    static let styleSheet = """
        :root { color-scheme: light dark; --text: #1a1d21; --page: #f5f6f8; --card: #ffffff; --line: #c4c9d1; --accent: #0b57b8; --bad: #a4161a; }
        @media (prefers-color-scheme: dark) {
          :root { --text: #e7eaee; --page: #14171b; --card: #1e2329; --line: #4a525d; --accent: #8fbdff; --bad: #ff9a9a; }
        }
        * { box-sizing: border-box; }
        body { margin: 0; padding: 2rem 1rem; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
        main, footer { max-width: 30rem; margin: 0 auto; }
        main { padding: 1.5rem; background: var(--card); border: 1px solid var(--line); border-radius: 0.75rem; }
        footer { font-size: 0.875rem; text-align: center; }
        h1 { margin: 0 0 0.5rem; font-size: 1.5rem; }
        ul { list-style: none; margin: 0; padding: 0; }
        li { margin: 0.5rem 0; }
        a { color: var(--accent); }
        code, .code { overflow-wrap: anywhere; font-family: ui-monospace, monospace; }
        input { width: 100%; padding: 0.75rem; font: inherit; letter-spacing: 0.1em; color: inherit; background: transparent;
          border: 1px solid var(--line); border-radius: 0.5rem; }
        button { width: 100%; padding: 0.75rem 1rem; font: inherit; font-weight: 600; text-align: left; color: inherit;
          background: transparent; border: 1px solid var(--line); border-radius: 0.5rem; cursor: pointer; }
        button small { display: block; font-weight: 400; }
        button:hover { border-color: var(--accent); }
        :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
        .quiet { width: auto; font-weight: 400; }
        .problem { color: var(--bad); font-weight: 600; }

        """
}
