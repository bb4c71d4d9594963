import HTTP
import OIDC
import Policy
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// `config.yml` of the client, read strictly: a key that is not known is an error, so that none is left out silently because of a slip.
struct ClientConfigFile {
    var defaultProvider: (alias: Text, line: Int)?
    /// Nil where the file has no list, or an empty value in its place.
    var providers: [(provider: ProviderConfig, line: Int)]?
    var defaults = ClientConfig.Defaults()

    /// Something wrong with it, where, and what; what is quoted is escaped. Never a secret.
    struct Fault: Error, Equatable {
        /// Counted from 1; 0 where the fault is the whole file's.
        let line: Int
        let text: String

        init(_ line: Int, _ text: String) {
            self.line = line
            self.text = text
        }
    }

    /// Nil where there is no file. One that others may write to, or of somebody else, is refused.
    static func read(_ path: String) throws(LoginError) -> ClientConfigFile? {
        guard let bytes = try bytes(of: path) else { return nil }
        do throws(Fault) {
            return try ClientConfigFile(parsing: bytes)
        } catch {
            throw .clientConfig(path: path, line: error.line, error.text)
        }
    }

    static func bytes(of path: String) throws(LoginError) -> [UInt8]? {
        do throws(UnsafeFile) {
            return try SafeFile.read(path, trust: .rootOrUser(UInt32(geteuid())), limit: ClientConfig.largest)
        } catch {
            throw .clientConfigFile(error)
        }
    }

    init(parsing bytes: [UInt8]) throws(Fault) {
        guard let root = try ClientConfigFile.yaml(bytes) else { return }
        guard case .mapping(let entries) = root.content else { throw Fault(root.line, "this is not a list of KEY: VALUE") }
        for entry in entries {
            switch entry.key {
            case "default_provider": defaultProvider = try ClientConfigFile.defaultProvider(entry)
            case "providers": providers = try ClientConfigFile.providers(entry)
            case "key_type": defaults.keyKind = try entry.keyKind()
            case "valid_for": defaults.lifetime = try entry.lifetime()
            case "store": defaults.store = try entry.store()
            case "refresh_token": defaults.refreshTokenPlace = try entry.refreshTokenPlace()
            default: throw ClientConfigFile.unknown(entry, among: ClientConfigFile.keys, and: ClientConfigProvider.keys)
            }
        }
    }

    static func yaml(_ bytes: [UInt8]) throws(Fault) -> YAMLNode? {
        do throws(ConfigurationError) {
            return try YAMLReader.read(bytes)
        } catch {
            throw Fault(error.line, error.text)
        }
    }

    static let keys = ["default_provider", "providers", "key_type", "valid_for", "store", "refresh_token"]

    /// - Parameter elsewhere: keys that belong into the other part of the file.
    static func unknown(_ entry: YAMLNode.Entry, among keys: [String], and elsewhere: [String]) -> Fault {
        let said = "\(entry.key.escaped(limit: 60)) is not a key that is known here"
        if elsewhere.contains(where: { Text($0) == entry.key }) {
            let place =
                keys.contains("providers")
                ? "it belongs to one of the providers" : "it belongs to the top of the file, without blanks before it"
            return Fault(entry.line, "\(said): \(place)")
        }
        let nearest = NearestName.of(entry.key.string, among: keys).map { ": did you mean \($0)?" }
        return Fault(entry.line, said + (nearest ?? " (\(keys.joined(separator: ", ")))"))
    }

    private static func defaultProvider(_ entry: YAMLNode.Entry) throws(Fault) -> (alias: Text, line: Int)? {
        guard let alias = try entry.text(), !alias.isEmpty else { return nil }
        if alias.utf8.contains(0x20) { throw Fault(entry.line, "default_provider takes one alias, or webchooser") }
        return (alias, entry.line)
    }

    private static func providers(_ entry: YAMLNode.Entry) throws(Fault) -> [(provider: ProviderConfig, line: Int)]? {
        if entry.value.isNull { return nil }
        guard case .sequence(let elements) = entry.value.content else {
            throw Fault(entry.line, "providers is not a list: each begins with \"- alias: NAME\"")
        }
        if elements.isEmpty { throw Fault(entry.line, "providers is empty: take the line away, and the built-in ones are there again") }
        var providers: [(provider: ProviderConfig, line: Int)] = []
        var lines: [Text: Int] = [:]
        for element in elements {
            let provider = try ClientConfigProvider(element).provider
            for alias in provider.aliases.map({ Text($0) }) {
                if let line = lines[alias] {
                    throw Fault(element.line, "the alias \(alias.escaped(limit: 60)) is there twice: line \(line) has it too")
                }
                lines[alias] = element.line
            }
            providers.append((provider, element.line))
        }
        return providers
    }

    static func fault(ofAlias alias: Text) -> String? {
        if alias.isEmpty { return "an alias is empty" }
        if alias.equalsIgnoringASCIICase(Text(ClientConfig.chooserAlias)) {
            return "the alias \(ClientConfig.chooserAlias) stands for the page on which a provider is chosen"
        }
        guard alias.count <= 64, alias.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: ",") }) else {
            return "this is no alias: \(alias.escaped(limit: 60))"
        }
        return nil
    }

    /// C41: OpenID Connect Discovery section 4.1.
    static func fault(ofIssuer issuer: Text) -> String? {
        do throws(OIDCError) {
            _ = try DiscoveryDocument.url(for: issuer)
            return nil
        } catch {
            // What stands before an @ may be a password.
            return "\(error)" + (issuer.contains(UInt8(ascii: "@")) ? "" : " (\(issuer.escaped(limit: 120)))")
        }
    }
}
