public import ChildProcess
import SafeFiles
public import Vocabulary

/// Changes of `~/.opk/config.yml`: what is to be written is read back first and must say what was meant and nothing else; then the file is
/// replaced in one step, mode 0600.
public struct ClientConfigEdit {
    public let path: String
    private let config: ClientConfig
    /// Nil where there is no file.
    private let before: [UInt8]?

    public struct Outcome: Sendable {
        /// The provider as it was read back.
        public let listed: ClientConfig.Listed
        /// Whether the file was made, or had no list until now: then the built-in providers are written into it, since a list takes their place.
        public let wroteBuiltIn: Bool
        public let written: [UInt8]
    }

    /// - Parameter path: nil is `~/.opk/config.yml`. It need not be there.
    public init(path: String? = nil, environment: ProcessEnvironment = .inherited()) throws(LoginError) {
        let place = try ClientConfig.path(path, environment: environment)
        self.path = place
        before = try ClientConfigFile.bytes(of: place)
        // What the file says: the environment is another matter.
        config = try ClientConfig(try ClientConfigFile.read(place), at: place, environment: .empty)
    }

    /// - Parameter isTrial: nothing is written.
    public func add(_ entry: ClientConfigEntry, isDefault: Bool, isTrial: Bool = false) throws(LoginError) -> Outcome {
        let provider = try ClientConfigEdit.provider(entry)
        for alias in provider.aliases {
            if let taken = config.listed.first(where: { $0.provider.aliases.contains { Text($0) == Text(alias) } }) {
                throw .aliasTaken(Text(alias), by: taken.origin)
            }
        }
        let shown = entry.lines(indent: 2, hidesSecret: true)
        var text = ClientConfigText(before ?? Array(ClientConfigDefault.text.utf8))
        try changing(shown) { () throws(ClientConfigText.Obstacle) in
            try text.append(entry)
            if isDefault, let alias = provider.aliases.first { try text.setDefault(alias) }
        }
        let after = try readBack(text.bytes, shown) { old, new in
            new.providers?.map(\.provider) == old + [provider]
                && new.defaultProvider?.alias == (isDefault ? provider.aliases.first.map { Text($0) } : usual)
        }
        if !isTrial { try write(text.bytes) }
        let line = after.providers?.last?.line ?? 0
        return Outcome(
            listed: ClientConfig.Listed(provider: provider, origin: .file(path: path, line: line)),
            wroteBuiltIn: config.listed.contains { $0.origin == .builtIn }, written: text.bytes)
    }

    /// With all of its aliases.
    public func remove(_ alias: Text, isTrial: Bool = false) throws(LoginError) -> Outcome {
        guard let listed = config.listed.first(where: { $0.provider.aliases.contains { Text($0) == alias } }) else {
            throw .unknownAlias(alias, known: config.aliases)
        }
        guard case .file(_, let line) = listed.origin else { throw .notInTheFile(alias, listed.origin) }
        if config.listed.count == 1 { throw .onlyProvider(path: path) }
        if let usual = config.defaultProvider?.alias, listed.provider.aliases.contains(where: { Text($0) == usual }) {
            throw .isDefault(usual, path: path)
        }
        var text = ClientConfigText(before ?? [])
        try changing([]) { () throws(ClientConfigText.Obstacle) in try text.removeProvider(beginningAt: line) }
        _ = try readBack(text.bytes, []) { old, new in
            new.providers?.map(\.provider) == old.filter { $0 != listed.provider } && new.defaultProvider?.alias == usual
        }
        if !isTrial { try write(text.bytes) }
        return Outcome(listed: listed, wroteBuiltIn: false, written: text.bytes)
    }

    /// The default as it is, or as the new file has it.
    private var usual: Text? { before == nil ? Text(ClientConfig.chooserAlias) : config.defaultProvider?.alias }

    /// As the file's reader takes it.
    private static func provider(_ entry: ClientConfigEntry) throws(LoginError) -> ProviderConfig {
        do throws(ClientConfigFile.Fault) {
            let file = try ClientConfigFile(parsing: Array(("providers:\n" + entry.text).utf8))
            guard let provider = file.providers?.first?.provider, file.providers?.count == 1, !provider.aliases.isEmpty else {
                throw ClientConfigFile.Fault(0, "it has no alias")
            }
            return provider
        } catch {
            throw .newProvider(error.text)
        }
    }

    private func changing(_ shown: [String], _ change: () throws(ClientConfigText.Obstacle) -> Void) throws(LoginError) {
        do throws(ClientConfigText.Obstacle) {
            try change()
        } catch {
            throw .notEditable(path: path, why: error.text, lines: shown)
        }
    }

    private func readBack(
        _ bytes: [UInt8], _ shown: [String], isAsMeant: (_ old: [ProviderConfig], _ new: ClientConfigFile) -> Bool
    ) throws(LoginError) -> ClientConfigFile {
        var why = "what would be written does not say what is meant"
        do throws(ClientConfigFile.Fault) {
            let file = try ClientConfigFile(parsing: bytes)
            if isAsMeant(config.listed.map(\.provider), file), file.defaults == config.defaults { return file }
        } catch {
            why += " (line \(error.line): \(error.text))"
        }
        throw .notEditable(path: path, why: why, lines: shown)
    }

    private func write(_ bytes: [UInt8]) throws(LoginError) {
        guard try ClientConfigFile.bytes(of: path) == before else { throw .changedMeanwhile(path: path) }
        do throws(WriteFailure) {
            if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try Folder.create(String(path[..<slash]), mode: 0o700) }
            try AtomicFile.write(bytes, to: path, mode: 0o600, replacing: before != nil)
        } catch {
            if error.alreadyThere { throw .changedMeanwhile(path: path) }
            throw .writing(error)
        }
    }
}
