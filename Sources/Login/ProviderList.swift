import Display
import Identities
public import JOSE
import PKToken
import Vocabulary

/// The configured providers, to be shown: everything but secrets.
public struct ProviderList: Sendable {
    private let config: ClientConfig

    public init(_ config: ClientConfig) {
        self.config = config
    }

    /// - Parameter columns: how wide the terminal is; nil where it is none. A table that is wider is shown as a block for each provider.
    public func lines(columns: Int? = nil) -> [String] {
        let table = table
        if let columns, table.contains(where: { $0.unicodeScalars.count > columns }) { return blocks + ["", meaning] }
        return table + ["", meaning]
    }

    private var blocks: [String] {
        var lines: [String] = []
        for listed in config.listed {
            if !lines.isEmpty { lines.append("") }
            lines.append(name(listed))
            lines.append("  issuer     " + listed.provider.issuer.escaped(limit: 120))
            lines.append("  client id  " + listed.provider.clientID.escaped(limit: 100))
            lines.append("  from       " + listed.origin.description)
        }
        return lines
    }

    private func name(_ listed: ClientConfig.Listed) -> String {
        let aliases = listed.provider.aliases.map { Text($0).escaped(limit: 64) }.joined(separator: " ")
        return (aliases.isEmpty ? "-" : aliases) + (isDefault(listed) ? " *" : "")
    }

    private var table: [String] {
        var table = Table(head: ["ALIAS", "ISSUER", "CLIENT ID", "FROM"])
        for listed in config.listed {
            let provider = listed.provider
            table.append([
                name(listed), provider.issuer.escaped(limit: 120),
                provider.clientID.escaped(limit: 100), listed.origin.description,
            ])
        }
        return table.lines
    }

    /// Who is meant by `opk login` alone.
    private var meaning: String {
        guard let usual = config.defaultProvider else {
            return config.listed.count == 1
                ? "`opk login` without a name means the only one."
                : "`opk login` without a name lets you choose: no default_provider is set."
        }
        let alias = usual.alias.escaped(limit: 64)
        if usual.alias.equalsIgnoringASCIICase(Text(ClientConfig.chooserAlias)) {
            return "`opk login` without a name lets you choose (\(usual.origin))."
        }
        if config.listed.contains(where: isDefault) { return "* is meant by `opk login` without a name (\(usual.origin))." }
        return "The default is \(alias) (\(usual.origin)), and there is no such provider."
    }

    private func isDefault(_ listed: ClientConfig.Listed) -> Bool {
        guard let usual = config.defaultProvider?.alias else { return false }
        return listed.provider.aliases.contains { Text($0) == usual }
    }

    public var json: JSON {
        var object = JSONObject()
        object["file"] = config.path.map { .string(Text($0)) }
        object["file_exists"] = .bool(config.isThere)
        object["default"] = config.defaultProvider.map { .string($0.alias) }
        object["providers"] = .array(config.listed.map(member))
        return .object(object)
    }

    /// As `valid_for` takes it.
    private static func words(_ lifetime: ExpiryPolicy) -> String {
        switch lifetime {
        case .oidc: return "oidc"
        case .oidcRefreshed: return "oidc-refreshed"
        case .never: return "never"
        case .maximumAge(let seconds):
            let units: [(name: String, seconds: Int64)] = [("h", 3600), ("m", 60)]
            guard let unit = units.first(where: { seconds % $0.seconds == 0 }) else { return "\(seconds)s" }
            return "\(seconds / unit.seconds)\(unit.name)"
        }
    }

    private func member(_ listed: ClientConfig.Listed) -> JSON {
        let provider = config.defaults.applied(to: listed.provider)
        var object = JSONObject()
        object["aliases"] = .array(provider.aliases.map { .string(Text($0)) })
        object["issuer"] = .string(provider.issuer)
        object["client_id"] = .string(provider.clientID)
        object["has_client_secret"] = .bool(provider.clientSecret != nil)
        object["scopes"] = .array(provider.scopes.map { .string(Text($0)) })
        object["redirect_uris"] = .array(provider.redirectURIs.map { .string(Text($0.text)) })
        object["hosts"] = .array(provider.hosts.map { .string($0) })
        object["remote_redirect_uri"] = provider.remoteRedirectURI.map { .string(Text($0)) } ?? .null
        object["prompt"] = provider.prompt.map { .string(Text($0)) } ?? .null
        object["access_type"] = provider.accessType.map { .string(Text($0)) } ?? .null
        object["send_access_token"] = .bool(provider.sendsAccessToken)
        object["key_type"] = provider.keyKind.map { .string(Text($0.rawValue)) } ?? .null
        object["valid_for"] = provider.lifetime.map { .string(Text(ProviderList.words($0))) } ?? .null
        object["store"] = provider.store.map { .string(Text($0.rawValue)) } ?? .null
        object["refresh_token"] = provider.refreshTokenPlace.map { .string(Text($0.rawValue)) } ?? .null
        object["name"] = provider.name.map { .string(Text($0.text)) }
        object["default"] = .bool(isDefault(listed))
        switch listed.origin {
        case .builtIn: object["from"] = "built-in"
        case .environment: object["from"] = "environment"
        case .file(let path, let line):
            object["from"] = .string(Text(path))
            object["line"] = .number(JSONNumber(Int64(line)))
        }
        return .object(object)
    }
}
