import HTTP
import Vocabulary

/// The page with the configured providers, each a link: chosen with a click, or with the keyboard.
///
/// Links and not a form, because browsers apply `form-action` to where a form's answer leads as well, and that is the provider's page.
struct ChooserPage {
    /// Aliases and issuers come from files and from the environment: hostile.
    let providers: [ProviderConfig]
    /// The page's own path; `/0`, `/1`, … after it are the choices.
    let path: Text

    func response() -> [UInt8] {
        let links = zip(providers, ChooserPage.places(of: providers)).enumerated().map { index, shown in
            """
            <li><a href="\(LocalPage.escaped(path))/\(index)"><strong>\(LocalPage.escaped(ChooserPage.name(of: shown.0), limit: 60))</strong>
            <span>\(LocalPage.escaped(shown.1, limit: 200))</span></a></li>
            """
        }
        return LocalPage(
            mark: .onward, title: "Where do you log in?",
            blocks: [
                "<p>Choose an identity provider. Its login page comes next, in this tab.</p>",
                "<ul>\n\(links.joined(separator: "\n"))\n</ul>",
            ]
        ).response()
    }

    /// What a person calls it: the first alias, else the client id.
    static func name(of provider: ProviderConfig) -> Text {
        provider.aliases.first.map { Text($0) } ?? provider.clientID
    }

    /// Who is asked: the host of the issuer; the whole issuer where two have the same host, or where it is no URL.
    static func places(of providers: [ProviderConfig]) -> [Text] {
        let hosts = providers.map { provider -> String? in
            guard let url = try? WebURL(parsing: provider.issuer) else { return nil }
            let origin = url.origin
            return origin.port == (origin.scheme == .https ? 443 : 80) ? origin.host : "\(origin.host):\(origin.port)"
        }
        return zip(providers, hosts).map { provider, host in
            guard let host, hosts.filter({ $0 == host }).count == 1 else { return provider.issuer }
            return Text(host)
        }
    }
}
