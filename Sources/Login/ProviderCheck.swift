import Display
public import HTTP
public import JOSE
import OIDC
import Vocabulary

/// One thing that a login, or a server, needs of a provider, and how it stands.
public struct ProviderCheck: Sendable {
    public enum Result: String, Sendable, CaseIterable {
        case ok
        /// It works, or may work; there is something to know or to do.
        case warn
        /// A login fails.
        case fail
    }

    /// One word.
    public let name: String
    public let result: Result
    /// A sentence; what the provider said is escaped in it.
    public let text: String
    /// What to do about it.
    public let advice: String?

    init(_ name: String, _ result: Result, _ text: String, advice: String? = nil) {
        self.name = name
        self.result = result
        self.text = text
        self.advice = advice
    }
}

/// `opk providers test`: everything about a provider that can be found out without logging in.
public struct ProviderExamination: Sendable {
    public let provider: ProviderConfig
    public private(set) var checks: [ProviderCheck] = []
    private var canRefresh = false

    /// Asks the provider; blocks.
    public init(_ provider: ProviderConfig, http: HTTPClient = HTTPClient()) {
        self.provider = provider
        let discovery = ProviderDiscoveryChecks(provider, http)
        checks = discovery.checks
        guard let report = discovery.report else { return }
        checks += ProviderKeyChecks(provider, report, http).checks
        let abilities = ProviderAbilityChecks(provider, report)
        checks += abilities.checks
        canRefresh = abilities.givesRefreshTokens
        checks += ProviderRegistrationChecks(provider, report, http).checks
    }

    public var isUsable: Bool { !checks.contains { $0.result == .fail } }

    /// The row that a server's administrator writes into /etc/opk/providers: providers(5).
    public var row: String { row("24h") }

    /// The same for logins that `opk login --refresh` keeps alive; nil where the provider does not say that it gives refresh tokens.
    public var refreshedRow: String? { canRefresh ? row("oidc-refreshed") : nil }

    private func row(_ expiry: String) -> String {
        "\(ProviderExamination.column(provider.issuer)) \(ProviderExamination.column(provider.clientID)) \(expiry)"
    }

    /// In quotes where a column needs them.
    private static func column(_ text: Text) -> String {
        let marks = Set("-._~:/@+,=%".utf8)
        let isPlain = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || marks.contains(byte)
        }
        return isPlain
            ? text.string : "'" + text.string.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    public var lines: [String] {
        let width = checks.map(\.name.utf8.count).max() ?? 0
        let padded = { (text: String, width: Int) in text + String(repeating: " ", count: max(0, width - text.utf8.count)) }
        var lines: [String] = []
        for check in checks {
            lines.append("\(padded(check.result.rawValue, 4))  \(padded(check.name, width))  \(check.text)")
            if let advice = check.advice { lines.append("\(padded("", width + 8))-> \(advice)") }
        }
        // Of a provider that is not there nothing is known, its exact issuer neither.
        guard checks.count > 1 else { return lines }
        lines.append("")
        if let refreshedRow {
            lines += ["For /etc/opk/providers on a server, if a login ends with its ID token unless `opk login --refresh` keeps it alive:"]
            lines += ["  " + refreshedRow, "Or, if a login is good for a day:"]
        } else {
            lines.append("For /etc/opk/providers on a server (a login is good for a day):")
        }
        return lines + ["  " + row]
    }

    public var json: JSON {
        var object = JSONObject()
        object["issuer"] = .string(provider.issuer)
        object["client_id"] = .string(provider.clientID)
        object["usable"] = .bool(isUsable)
        object["checks"] = .array(
            checks.map { check in
                var object = JSONObject()
                object["check"] = .string(Text(check.name))
                object["result"] = .string(Text(check.result.rawValue))
                object["text"] = .string(Text(check.text))
                object["advice"] = check.advice.map { .string(Text($0)) }
                return .object(object)
            })
        object["providers_row"] = .string(Text(row))
        object["providers_row_refreshed"] = refreshedRow.map { .string(Text($0)) } ?? .null
        return .object(object)
    }
}
