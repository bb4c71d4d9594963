import Display
import HTTP
import OIDC
import Vocabulary

/// Whether the provider is there, is the one that is meant, and has the time right.
struct ProviderDiscoveryChecks {
    private(set) var checks: [ProviderCheck] = []
    /// Nil where nothing more can be asked.
    private(set) var report: DiscoveryReport?

    init(_ provider: ProviderConfig, _ http: HTTPClient) {
        do throws(OIDCError) {
            let report = try DiscoveryReport.fetch(issuer: provider.issuer, client: http)
            self.report = report
            checks.append(
                ProviderCheck("discovery", .ok, "\(provider.issuer.escaped(limit: 120)) is there, and says that it is this issuer"))
            checks.append(ProviderDiscoveryChecks.endpoints(report))
            if let difference = report.clockDifference { checks.append(ProviderDiscoveryChecks.clock(difference)) }
        } catch {
            checks.append(
                ProviderCheck("discovery", .fail, "\(error)", advice: ProviderDiscoveryChecks.advice(for: error, provider.issuer)))
        }
    }

    private static func endpoints(_ report: DiscoveryReport) -> ProviderCheck {
        let document = report.document
        let missing = [
            ("authorization_endpoint", document.authorizationEndpoint == nil), ("token_endpoint", document.tokenEndpoint == nil),
        ].filter(\.1).map(\.0)
        if missing.isEmpty { return ProviderCheck("endpoints", .ok, "it has an authorization and a token endpoint") }
        return ProviderCheck(
            "endpoints", .fail, "it names no \(missing.joined(separator: " and no "))", advice: "nobody can log in there in a browser")
    }

    /// A token of a provider that is ahead by more than a server's skew (60 seconds) would be refused.
    private static func clock(_ difference: Int64) -> ProviderCheck {
        let size = RelativeTime.span(difference)
        if difference.magnitude <= 5 { return ProviderCheck("clock", .ok, "this machine's clock and the provider's agree") }
        return ProviderCheck(
            "clock", difference.magnitude > 60 ? .fail : .warn,
            "this machine's clock is \(size) \(difference > 0 ? "behind" : "ahead of") the provider's",
            advice: "set it: `timedatectl set-ntp true`; logins are refused when it is more than a minute off")
    }

    private static func advice(for error: OIDCError, _ issuer: Text) -> String {
        switch error {
        case .otherIssuer(let said) where said.string.contains("{tenantid}"):
            return "use your tenant's own issuer, with its id in the place of common or organizations"
        case .otherIssuer(let said):
            return "if that is the provider that you mean: issuer: \(said.escaped(limit: 200))"
        case .http(let error):
            switch error.code {
            case .nameNotResolved, .connectionFailed, .timeout: return "check the spelling, the network and a proxy (HTTPS_PROXY)"
            case .tls, .trustStore: return "check this machine's clock, and name an authority of your own in SSL_CERT_FILE"
            default: return "check that the issuer is the provider's base address"
            }
        case .status(_, 404), .notJSON:
            return "the issuer is what the provider calls its issuer or base URL: a path may be missing, or one too much"
        default: return "check the issuer's spelling with the provider"
        }
    }
}
