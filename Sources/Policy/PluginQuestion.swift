import JOSE
public import PKToken
public import SSHKeys
public import Vocabulary

/// What a plugin is told about a login: the values of opkssh's `OPKSSH_PLUGIN_…` variables, written as opkssh writes them. They hold
/// the user's tokens, so this shows nothing of itself.
///
/// As bytes it goes to the process that runs plugins, which need not be the one that decides: the entries of an environment
/// ("NAME=value", NUL) in a fixed order; or, where the login cannot be put to a plugin, `!`, the reason, NUL.
public struct PluginQuestion: Sendable, CustomStringConvertible {
    private let content: Content

    private enum Content: Sendable {
        /// The entries as bytes, each ended by NUL.
        case entries(Secret)
        /// Why no plugin may be asked. Escaped.
        case impossible(String)
    }

    /// What follows `OPKSSH_PLUGIN_`, in the order in which they are sent. `CONFIG` is added for each plugin.
    static let names = [
        "U", "K", "T", "EXTRA_ARGS", "ISS", "SUB", "EMAIL", "EMAIL_VERIFIED", "AUD", "EXP", "NBF", "IAT", "JTI", "GROUPS", "PAYLOAD", "UPK",
        "IDT", "PKT", "USERINFO",
    ]
    static let prefix = "OPKSSH_PLUGIN_"

    /// Of a claim, in bytes. A program that reads its environment is not written for more.
    static let longestClaim = 64 << 10
    /// Linux takes no longer string, its NUL included (MAX_ARG_STRLEN: 32 pages).
    static let longestEntry = 128 << 10
    /// Of all of it: half of what Linux gives to arguments and environment.
    public static let maximumSize = 1 << 20
    static let longestReason = 512

    /// - Parameters:
    ///   - key: `%k`, as it came.
    ///   - type: `%t`.
    ///   - extra: sshd's words behind those.
    ///   - userinfo: nil where there is none.
    ///   - groupsClaim: where the provider writes groups.
    public init(
        account: Principal, key: [UInt8], type: [UInt8], extra: [[UInt8]], identity: VerifiedIdentity, userinfo: VerifiedUserinfo?,
        groupsClaim: Text = "groups"
    ) {
        do {
            let token = try PluginQuestion.token(of: identity)
            let claims = PluginClaims(identity.claims)
            let values: [[UInt8]] = [
                account.text.utf8, key, type, try PluginQuestion.extraArguments(extra),
                try claims.text("iss"), try claims.text("sub"), try claims.text("email"), try claims.emailVerified(), try claims.audience(),
                try claims.date("exp"), try claims.date("nbf"), try claims.date("iat"), try claims.text("jti"),
                try claims.list(groupsClaim), Array(Base64.encode(token.payload).utf8),
                Array(Base64.encode(JSON.object(token.userKey).serialized).utf8), token.idToken.exposed, token.compact.exposed,
                try PluginQuestion.text(of: userinfo),
            ]
            content = .entries(try PluginQuestion.entries(values))
        } catch {
            content = .impossible(error.text)
        }
    }

    /// The reason why no plugin may be asked about this login: a claim that has another shape than opkssh reads, or that does not fit. Escaped.
    public var impossibility: String? {
        if case .impossible(let reason) = content { reason } else { nil }
    }

    /// The environment's entries, `CONFIG` and what every plugin gets included; empty where no plugin may be asked.
    public func environment(for plugin: Plugin) -> [[UInt8]] {
        guard case .entries(let bytes) = content else { return [] }
        let configuration = "\(PluginQuestion.prefix)CONFIG=\(Base64.encode(plugin.configuration))"
        return bytes.exposed.split(separator: 0).map { Array($0) }
            + [Array(configuration.utf8), Array("PATH=/usr/sbin:/usr/bin:/sbin:/bin".utf8), Array("LANG=C.UTF-8".utf8)]
    }

    /// What may not be shown, in whatever a plugin says: its tokens, and the certificate that has them and an access token inside.
    public var secrets: [Secret] {
        guard case .entries(let bytes) = content else { return [] }
        var secrets: [Secret] = []
        for entry in bytes.exposed.split(separator: 0) {
            for name in ["K", "PAYLOAD", "IDT", "PKT"] {
                let start = Array("\(PluginQuestion.prefix)\(name)=".utf8)
                guard entry.starts(with: start) else { continue }
                let value = Array(entry.dropFirst(start.count))
                secrets.append(Secret(value))
                if name == "K", let certificate = Base64.decode(value) { secrets.append(Secret(certificate)) }
            }
        }
        return secrets
    }

    public var description: String { "(what a plugin is asked)" }

    // MARK: As bytes

    public var encoded: [UInt8] {
        switch content {
        case .entries(let bytes): bytes.exposed
        case .impossible(let reason): [UInt8(ascii: "!")] + Array(reason.utf8) + [0]
        }
    }

    /// Nil for anything that `encoded` does not write.
    public init?(parsing bytes: [UInt8]) {
        guard bytes.count <= PluginQuestion.maximumSize, bytes.last == 0 else { return nil }
        var parts = bytes.split(separator: 0, omittingEmptySubsequences: false)
        parts.removeLast()
        if bytes.first == UInt8(ascii: "!") {
            guard parts.count == 1, let reason = Text(validating: parts[0].dropFirst()),
                (1...PluginQuestion.longestReason).contains(reason.count)
            else { return nil }
            content = .impossible(reason.string)
            return
        }
        guard parts.count == PluginQuestion.names.count else { return nil }
        for (part, name) in zip(parts, PluginQuestion.names) {
            guard part.starts(with: Array("\(PluginQuestion.prefix)\(name)=".utf8)), part.count < PluginQuestion.longestEntry else {
                return nil
            }
        }
        content = .entries(Secret(bytes))
    }

    private static func entries(_ values: [[UInt8]]) throws(RowFault) -> Secret {
        var bytes: [UInt8] = []
        for (name, value) in zip(names, values) {
            guard !value.contains(0) else { throw RowFault("\(prefix)\(name) would contain a NUL") }
            let entry = Array("\(prefix)\(name)=".utf8) + value
            guard entry.count < longestEntry else { throw RowFault("\(prefix)\(name) would be over \(longestEntry) bytes") }
            bytes += entry + [0]
        }
        guard bytes.count <= maximumSize else { throw RowFault("all of it would be over \(maximumSize) bytes") }
        return Secret(bytes)
    }

    // MARK: Values

    private static func token(of identity: VerifiedIdentity) throws(RowFault) -> PresentedToken {
        do { return try identity.presentedToken() } catch { throw RowFault("the token cannot be written again") }
    }

    /// A JSON array of strings as Go writes it; nothing where there are none.
    private static func extraArguments(_ words: [[UInt8]]) throws(RowFault) -> [UInt8] {
        if words.isEmpty { return [] }
        let texts = words.compactMap { Text(validating: $0) }
        guard texts.count == words.count else { throw RowFault("an extra argument of sshd's is not UTF-8") }
        return JSON.array(texts.map(JSON.string)).serialized
    }

    /// opkssh reads the answer and writes it again: members sorted, numbers as Go's, a line break at the end.
    private static func text(of userinfo: VerifiedUserinfo?) throws(RowFault) -> [UInt8] {
        guard let userinfo else { return [] }
        guard let json = JSON.object(userinfo.claims).withGoNumbers else { throw RowFault("userinfo has a number beyond a float64") }
        return json.serialized + [0x0A]
    }
}
