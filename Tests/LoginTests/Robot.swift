import DemoProvider
import HTTP
import LibCrypto
import PKToken
import Vocabulary

@testable import Login

/// Logs in at a demo provider in the place of a person and a browser.
struct Robot {
    /// How a login ended.
    struct Attempt: Sendable {
        let result: Result<LoginResult, LoginError>
        /// What the browser showed at the end, head and body.
        let page: String
        /// Everything that the terminal showed.
        let notices: [String]
        /// How often a key was handed over to be written.
        let kept: Int

        var error: LoginError? { if case .failure(let error) = result { error } else { nil } }

        /// Whether nothing was taken for an answer before `Robot.end`.
        var wasInVain: Bool {
            guard case .refusedByProvider("over", nil) = error else { return false }
            return kept == 0
        }

        var refusal: Refusal.Code? { if case .identity(let refusal, _) = error { refusal.code } else { nil } }
    }

    /// What the browser does with the address; answers with the last page.
    typealias Browse = @Sendable (_ address: String) -> String

    static func logIn(
        at issuer: Text, patience: Int64 = 120, browser: Browser = Browser(environment: .empty), browse: @escaping Browse = Robot.browse,
        keep: @escaping @Sendable (LoginResult) throws(LoginError) -> Void = { _ throws(LoginError) in },
        options change: @escaping @Sendable (inout LoginOptions) -> Void = { _ in }
    ) async -> Attempt {
        await onThread {
            var provider = ProviderConfig(issuer: issuer, clientID: "opk-demo")
            provider.redirectURIs = [RedirectURI(host: .localhost, port: 0, path: "/login-callback")]
            var options = LoginOptions(provider: provider)
            options.opensBrowser = false
            options.patience = patience
            change(&options)
            return run(options, browser, browse, keep)
        }
    }

    private static func run(
        _ options: LoginOptions, _ program: Browser, _ browse: @escaping Browse, _ keep: @Sendable (LoginResult) throws(LoginError) -> Void
    ) -> Attempt {
        let page = Shared("")
        var notices: [String] = []
        var kept = 0
        var browser: ThreadHandle?
        // The machine may be busy with other tests.
        let client = HTTPClient(timeout: .seconds(60))
        let flow = LoginFlow(options, http: client, browser: program) { notice in
            notices.append("\(notice)")
            // A browser runs beside the login, which is not listening yet when it is told the address.
            if case .open(let url, _) = notice { browser = ThreadHandle { page.value = browse(url) } }
        }
        let result: Result<LoginResult, LoginError>
        do throws(LoginError) {
            result = .success(
                try flow.run { (result: LoginResult) throws(LoginError) in
                    try keep(result)
                    kept += 1
                })
        } catch {
            result = .failure(error)
        }
        browser?.join()
        return Attempt(result: result, page: page.value, notices: notices, kept: kept)
    }

    /// Follows redirects on this machine, as a browser does.
    static let browse: Browse = { address in
        var next = address
        var page = ""
        for _ in 0..<5 {
            page = get(next)
            guard let location = header("Location", in: page) else { return page }
            next = location
        }
        return page
    }

    /// Takes the provider's answer where it leads, and then ends a login that goes on waiting: its error is then `over`.
    static let browseInVain: Browse = { address in
        let callback = callback(after: address)
        let page = get(callback)
        end(address, callback)
        return page
    }

    /// An answer that does belong to the login which printed `address`.
    static func end(_ address: String, _ callback: String) {
        guard let from = address.firstRange(of: "&state=") else { return }
        let state = address[from.upperBound...].prefix { $0 != "&" }
        _ = get(callback.prefix { $0 != "?" } + "?error=over&state=" + state + "&iss=" + issuer(of: address))
    }

    private static func issuer(of address: String) -> String {
        String(address.prefix(while: { $0 != "?" }).dropLast("/authorize".count)).replacing(":", with: "%3A").replacing("/", with: "%2F")
    }

    /// The address to which the provider sends the browser.
    static func callback(after address: String) -> String {
        header("Location", in: get(address)) ?? ""
    }

    static func get(_ address: String, method: String = "GET") -> String {
        guard let url = try? WebURL(parsing: address), let wire = Wire(port: url.port) else { return "no connection to \(address)" }
        wire.say("\(method) \(target(of: url)) HTTP/1.1\r\nHost: localhost:\(url.port)\r\nConnection: close\r\n\r\n")
        let page = wire.hear()
        // Our own listener sends the browser on to the page that says how the login ended.
        guard page.hasPrefix("HTTP/1.1 303 "), let path = header("Location", in: page), path.hasPrefix("/") else { return page }
        return get("http://localhost:\(url.port)\(path)")
    }

    static func target(of url: WebURL) -> String {
        url.path + (url.query.map { "?" + $0 } ?? "")
    }

    static func header(_ name: String, in response: String) -> String? {
        for line in response.split(separator: "\r\n", omittingEmptySubsequences: false) {
            if line.isEmpty { return nil }
            if line.lowercased().hasPrefix(name.lowercased() + ": ") { return String(line.dropFirst(name.count + 2)) }
        }
        return nil
    }
}
