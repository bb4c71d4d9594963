import HTTP
import Identities
import PKToken
import Policy
import Vocabulary

/// One entry of `providers`.
struct ClientConfigProvider {
    private(set) var provider: ProviderConfig

    typealias Fault = ClientConfigFile.Fault

    static let keys = [
        "alias", "issuer", "client_id", "client_secret", "scopes", "access_type", "prompt", "redirect_uris", "remote_redirect_uri",
        "send_access_token", "key_type", "valid_for", "store", "hosts", "refresh_token",
    ]

    init(_ node: YAMLNode) throws(Fault) {
        guard case .mapping(let entries) = node.content else { throw Fault(node.line, "a provider is not a list of KEY: VALUE") }
        provider = ProviderConfig(issuer: "", clientID: "")
        // Where the file says nothing opkssh asks for a little more than where --provider says nothing.
        provider.scopes = ["openid", "profile", "email"]
        for entry in entries { try take(entry) }
        if provider.issuer.isEmpty { throw Fault(node.line, "this provider has no issuer") }
        if provider.clientID.isEmpty { throw Fault(node.line, "this provider has no client_id") }
    }

    private mutating func take(_ entry: YAMLNode.Entry) throws(Fault) {
        switch entry.key {
        case "alias": provider.aliases = try ClientConfigProvider.aliases(entry)
        case "issuer": provider.issuer = try ClientConfigProvider.issuer(entry)
        case "client_id": provider.clientID = try entry.visible() ?? ""
        case "client_secret": provider.clientSecret = try entry.visible().map { Secret($0.utf8) }
        case "scopes":
            if let scopes = try ClientConfigProvider.scopes(entry) { provider.scopes = scopes }
        case "access_type": provider.accessType = try ClientConfigProvider.parameter(entry, usual: provider.accessType)
        case "prompt": provider.prompt = try ClientConfigProvider.parameter(entry, usual: provider.prompt)
        case "redirect_uris":
            if let uris = try ClientConfigProvider.redirectURIs(entry) { provider.redirectURIs = uris }
        case "remote_redirect_uri": provider.remoteRedirectURI = try ClientConfigProvider.remoteRedirectURI(entry)
        case "send_access_token": provider.sendsAccessToken = try entry.flag() ?? false
        case "key_type": provider.keyKind = try entry.keyKind()
        case "valid_for": provider.lifetime = try entry.lifetime()
        case "store": provider.store = try entry.store()
        case "hosts": provider.hosts = try ClientConfigProvider.hosts(entry)
        case "refresh_token": provider.refreshTokenPlace = try entry.refreshTokenPlace()
        default: throw ClientConfigFile.unknown(entry, among: ClientConfigProvider.keys, and: ClientConfigFile.keys)
        }
    }

    /// Several words are several aliases.
    private static func aliases(_ entry: YAMLNode.Entry) throws(Fault) -> [String] {
        var aliases: [String] = []
        for word in try entry.text()?.string.split(whereSeparator: { $0 == " " || $0 == "\t" }) ?? [] {
            if let why = ClientConfigFile.fault(ofAlias: Text(String(word))) { throw Fault(entry.line, why) }
            if aliases.contains(where: { Text($0) == Text(String(word)) }) {
                throw Fault(entry.line, "the alias \(Text(String(word)).escaped(limit: 60)) is there twice")
            }
            aliases.append(String(word))
        }
        return aliases
    }

    private static func issuer(_ entry: YAMLNode.Entry) throws(Fault) -> Text {
        guard let issuer = try entry.text(), !issuer.isEmpty else { return "" }
        if let why = ClientConfigFile.fault(ofIssuer: issuer) { throw Fault(entry.line, why) }
        return issuer
    }

    /// Nil for nothing at all: then the usual ones are meant.
    private static func scopes(_ entry: YAMLNode.Entry) throws(Fault) -> [String]? {
        guard let text = try entry.text(), !text.isEmpty else { return nil }
        do throws(LoginError) {
            return try ProviderConfig.scopes(text.string)
        } catch {
            throw Fault(entry.line, "\(error)")
        }
    }

    /// Nothing at all is the usual value, and `""` leaves the parameter away.
    private static func parameter(_ entry: YAMLNode.Entry, usual: String?) throws(Fault) -> String? {
        guard let text = try entry.text() else { return usual }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
            throw Fault(entry.line, "\(entry.key) has a character that is not ASCII")
        }
        return text.isEmpty ? nil : text.string
    }

    private static func redirectURIs(_ entry: YAMLNode.Entry) throws(Fault) -> [RedirectURI]? {
        if entry.value.isNull { return nil }
        var uris: [RedirectURI] = []
        for element in try entry.elements() {
            do throws(LoginError) {
                uris.append(try RedirectURI(element.text.string))
            } catch {
                throw Fault(element.line, "\(error)")
            }
        }
        if uris.isEmpty { throw Fault(entry.line, "redirect_uris is empty") }
        return uris
    }

    private static func remoteRedirectURI(_ entry: YAMLNode.Entry) throws(Fault) -> String? {
        guard let text = try entry.text(), !text.isEmpty else { return nil }
        do {
            return try WebURL(parsing: text).text
        } catch {
            throw Fault(entry.line, "remote_redirect_uri cannot be used: \(error)")
        }
    }

    /// A list, or one text with blanks between.
    private static func hosts(_ entry: YAMLNode.Entry) throws(Fault) -> [Text] {
        if entry.value.isNull { return [] }
        var patterns: [(text: Text, line: Int)] = []
        if case .scalar(let text, _) = entry.value.content {
            patterns = text.string.split(separator: " ").map { (Text(String($0)), entry.line) }
        } else {
            patterns = try entry.elements()
        }
        for pattern in patterns where !isHostPattern(pattern.text) {
            throw Fault(pattern.line, "this is no pattern of hosts as ssh_config has them: \(pattern.text.escaped(limit: 80))")
        }
        if !patterns.isEmpty, patterns.allSatisfy({ $0.text.hasPrefix("!") }) {
            throw Fault(entry.line, "hosts has only exceptions (!), so it means no host at all")
        }
        return patterns.map(\.text)
    }

    /// ssh_config(5), PATTERNS: a host name or address with `*` and `?`, and `!` before it. Nothing that ssh would read as a quote, a comment or
    /// another word.
    private static func isHostPattern(_ text: Text) -> Bool {
        let name = text.hasPrefix("!") ? text.utf8.dropFirst() : text.utf8[...]
        guard (1...253).contains(name.count), name.first != UInt8(ascii: "-") else { return false }
        return name.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: "-._:*?%[]@".utf8.contains(byte)
            }
        }
    }
}

extension YAMLNode.Entry {
    typealias Fault = ClientConfigFile.Fault

    /// Nil for nothing at all. A number or a date is the text that stands there.
    func text() throws(Fault) -> Text? {
        guard case .scalar(let text, _) = value.content else {
            throw Fault(line, "\(key) is one text, and several words in it have blanks between")
        }
        return value.isNull ? nil : text
    }

    /// The same without anything that is not visible ASCII; nil where it is empty.
    func visible() throws(Fault) -> Text? {
        guard let text = try text(), !text.isEmpty else { return nil }
        guard text.count <= 1024, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Fault(line, "\(key) has a character that does not belong there")
        }
        return text
    }

    func elements() throws(Fault) -> [(text: Text, line: Int)] {
        guard case .sequence(let nodes) = value.content else { throw Fault(line, "\(key) is not a list") }
        var elements: [(text: Text, line: Int)] = []
        for node in nodes {
            guard case .scalar(let text, _) = node.content, !node.isNull, !text.isEmpty else {
                throw Fault(node.line, "\(key) has an element that is not a word")
            }
            elements.append((text, node.line))
        }
        return elements
    }

    /// Nil for nothing at all. The words that Go's yaml.v3 takes for a boolean where one is wanted.
    func flag() throws(Fault) -> Bool? {
        if value.isNull { return nil }
        switch value.content {
        case .scalar(let text, isPlain: true):
            switch text {
            case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y": return true
            case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N": return false
            default: break
            }
        default: break
        }
        throw Fault(line, "\(key) is neither true nor false")
    }

    func keyKind() throws(Fault) -> KeyKind? {
        try one(of: KeyKind.allCases.map(\.rawValue)) { KeyKind(rawValue: $0.lowercasedASCII.string) }
    }

    func store() throws(Fault) -> KeyStore? { try one(of: KeyStore.allCases.map(\.rawValue)) { KeyStore(rawValue: $0.string) } }

    func refreshTokenPlace() throws(Fault) -> RefreshTokenPlace? {
        try one(of: RefreshTokenPlace.allCases.map(\.rawValue)) { RefreshTokenPlace(rawValue: $0.string) }
    }

    func lifetime() throws(Fault) -> ExpiryPolicy? {
        guard let text = try text() else { return nil }
        do throws(LoginError) {
            return try LoginOptions.lifetime(text.string)
        } catch {
            throw Fault(line, "\(error)" + (error.hint.map { " (\($0))" } ?? ""))
        }
    }

    private func one<Value>(of words: [String], _ make: (Text) -> Value?) throws(Fault) -> Value? {
        guard let text = try text() else { return nil }
        guard let value = make(text) else {
            let nearest = NearestName.of(text.string, among: words).map { ": did you mean \($0)?" }
            throw Fault(line, "\(key) is \(words.joined(separator: " or "))" + (nearest ?? ", and not \(text.escaped(limit: 40))"))
        }
        return value
    }
}
