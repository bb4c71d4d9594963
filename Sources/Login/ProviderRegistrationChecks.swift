import HTTP
import LibCrypto
import OIDC
import Vocabulary

/// Whether the client and its redirect URIs are registered, as far as that can be told before anybody logs in: by the provider's answers
/// to requests with ours and with made-up ones.
struct ProviderRegistrationChecks {
    private(set) var checks: [ProviderCheck] = []
    private let provider: ProviderConfig
    private let probe: RegistrationProbe
    private static let name = "redirect"

    init(_ provider: ProviderConfig, _ report: DiscoveryReport, _ http: HTTPClient) {
        self.provider = provider
        probe = RegistrationProbe(report.document, scopes: provider.scopes, client: http)
        // Said above.
        guard report.document.authorizationEndpoint != nil, report.document.codeChallengeMethods?.contains("S256") ?? true else { return }
        do throws(OIDCError) {
            checks = try examined()
        } catch {
            checks = [ProviderCheck(ProviderRegistrationChecks.name, .warn, "whether it is registered cannot be told: \(error)")]
        }
    }

    private func examined() throws(OIDCError) -> [ProviderCheck] {
        let madeUp = try probe.ask(clientID: provider.clientID, redirectURI: madeUpURI)
        var known: [RedirectURI] = []
        var refused: [(uri: RedirectURI, page: RegistrationProbe.Page)] = []
        var open: [RedirectURI] = []
        for uri in provider.redirectURIs {
            // Port 0 is any that is free.
            let asked = uri.port == 0 ? uri.with(port: 49_152) : uri
            switch try probe.ask(clientID: provider.clientID, redirectURI: asked.text) {
            case .back(let error):
                if let error, let check = problem(error) { return [check] }
                known.append(uri)
            case .page(let page) where page.isRefusal: refused.append((uri, page))
            case .page(let page):
                guard case .page(let other) = madeUp, page.resembles(other) else {
                    known.append(uri)
                    continue
                }
                open.append(uri)
            }
        }
        if known.isEmpty, open.isEmpty, let page = refused.first?.page { return [try refusal(page, madeUp)] }
        return [verdict(known, refused.map(\.uri), open, takesAny: isBack(madeUp))]
    }

    private func verdict(_ known: [RedirectURI], _ refused: [RedirectURI], _ open: [RedirectURI], takesAny: Bool) -> ProviderCheck {
        let name = ProviderRegistrationChecks.name
        if !refused.isEmpty {
            return ProviderCheck(
                name, .warn, "not registered: \(texts(refused))" + (known.isEmpty ? "" : "; registered: \(texts(known))"),
                advice: "register them too, for when another program has the port")
        }
        if !open.isEmpty {
            return ProviderCheck(
                name, .warn,
                "whether client and redirect URI are registered cannot be told before a login: it answers a made-up one in the same way",
                advice: "have these registered for \(provider.clientID.escaped(limit: 80)), as a native or public client: \(texts(open))")
        }
        if takesAny { return ProviderCheck(name, .ok, "the client is known, and any address of this machine may be sent back to") }
        return ProviderCheck(name, .ok, "the client and its redirect URIs are known: \(texts(known))")
    }

    /// Which of the two is not known, where a provider's answers to both differ.
    private func refusal(_ page: RegistrationProbe.Page, _ madeUp: RegistrationProbe.Answer) throws(OIDCError) -> ProviderCheck {
        let name = ProviderRegistrationChecks.name
        let client = provider.clientID.escaped(limit: 80)
        let register = "register \(texts(provider.redirectURIs)) for \(client), as a native or public client"
        let other = try probe.ask(clientID: Text("opk-\(ProviderRegistrationChecks.random)"), redirectURI: provider.redirectURIs[0].text)
        if case .page(let unknownClient) = other, unknownClient.body == page.body, unknownClient.status == page.status {
            return ProviderCheck(
                name, .fail,
                "it answers \(client) as a client id that is made up (status \(page.status)): it is not known, or its redirect URIs are not registered",
                advice: "check the client id; then \(register)")
        }
        if case .page(let unknownURI) = madeUp, unknownURI.body == page.body, unknownURI.status == page.status {
            return ProviderCheck(name, .fail, "no redirect URI is registered for \(client) (status \(page.status))", advice: register)
        }
        return ProviderCheck(
            name, .fail, "it refuses the request with status \(page.status): the client id or the redirect URIs are not registered",
            advice: "check the client id; then \(register)")
    }

    /// What a provider says that has sent the browser back. That nobody is logged in yet is what was asked for.
    private func problem(_ error: Text) -> ProviderCheck? {
        let name = "client"
        switch error {
        case "login_required", "interaction_required", "consent_required", "account_selection_required": return nil
        case "invalid_scope":
            return ProviderCheck(
                "scopes", .fail, "it refuses the scopes \(provider.scopes.joined(separator: " ")) (invalid_scope)", advice: "choose others")
        case "unauthorized_client", "unsupported_response_type":
            return ProviderCheck(
                name, .fail, "the client may not log in in this way (\(error.escaped(limit: 40)))",
                advice: "have the authorization code flow allowed for it at the provider")
        default:
            return ProviderCheck(
                name, .warn, "the client and its redirect URI are known, but it answers \(error.escaped(limit: 60))",
                advice: "it may want something else of every request; a login shows it")
        }
    }

    private func texts(_ uris: [RedirectURI]) -> String { uris.map(\.text).joined(separator: " ") }

    private func isBack(_ answer: RegistrationProbe.Answer) -> Bool {
        if case .back = answer { return true }
        return false
    }

    /// On this machine too: a provider must not be led to send anybody elsewhere.
    private var madeUpURI: String {
        RedirectURI(host: .localhost, port: 49_153, path: "/opk-made-up-\(ProviderRegistrationChecks.random)").text
    }

    private static var random: String { Base64URL.encode(randomBytes(9)).lowercased().filter { $0 != "-" && $0 != "_" } }
}
