import HTTP
import JOSE
import OIDC
import Vocabulary

/// Whether servers will be able to check what this provider signs.
struct ProviderKeyChecks {
    private(set) var checks: [ProviderCheck] = []

    init(_ provider: ProviderConfig, _ report: DiscoveryReport, _ http: HTTPClient) {
        do throws(OIDCError) {
            let keys = try KeySetReport.fetch(by: report.document, client: http).keys
            checks.append(ProviderKeyChecks.summary(keys))
            if let ambiguity = ProviderKeyChecks.ambiguity(keys) { checks.append(ambiguity) }
            checks += ProviderKeyChecks.unused(keys)
        } catch {
            checks.append(ProviderCheck("keys", .fail, "\(error)", advice: "no server can check what this provider signs"))
        }
        checks.append(ProviderKeyChecks.algorithms(report))
    }

    private static func summary(_ keys: [KeySetReport.Key]) -> ProviderCheck {
        let usable = keys.filter { $0.algorithm != nil }
        guard !usable.isEmpty else {
            return ProviderCheck(
                "keys", .fail, "none of its \(keys.count) keys can be used",
                advice: "it has to sign with RS256, PS256, ES256 (P-256) or EdDSA (Ed25519)")
        }
        let named = usable.prefix(6).map { key in
            "\(key.kind.escaped(limit: 20)) \(key.algorithm?.rawValue ?? "")"
                + (key.keyID.map { " (\($0.escaped(limit: 24)))" } ?? " (no kid)")
        }
        let more = usable.count > named.count ? ", …" : ""
        return ProviderCheck("keys", .ok, "\(usable.count) of \(keys.count) can be used: \(named.joined(separator: ", "))\(more)")
    }

    /// PROTOCOL: a token without a kid is checked with the one key that fits, and refused if there are more.
    private static func ambiguity(_ keys: [KeySetReport.Key]) -> ProviderCheck? {
        for algorithm in JWSAlgorithm.allCases {
            let same = keys.filter { $0.algorithm == algorithm }
            if same.count > 1, same.contains(where: { $0.keyID == nil }) {
                return ProviderCheck(
                    "key-ids", .warn, "several keys are for \(algorithm.rawValue) and not all have a kid",
                    advice: "tokens that do not say which key signed them are refused")
            }
        }
        return nil
    }

    /// Every key that is not used, unless it is for something else.
    private static func unused(_ keys: [KeySetReport.Key]) -> [ProviderCheck] {
        keys.compactMap { key -> ProviderCheck? in
            guard let fault = key.fault, fault != .notForSignatures else { return nil }
            let name = key.keyID.map { "the key \($0.escaped(limit: 40))" } ?? "a key without a kid"
            return ProviderCheck(
                "key", fault == .privateMember || fault == .numbers ? .warn : .ok,
                "\(name) (\(key.kind.escaped(limit: 20))) is not used: \(fault.rawValue)")
        }
    }

    private static func algorithms(_ report: DiscoveryReport) -> ProviderCheck {
        guard let named = report.texts("id_token_signing_alg_values_supported") else {
            return ProviderCheck("algorithms", .ok, "it does not say what it signs ID tokens with")
        }
        let ours = named.filter { $0 != "GQ256" && JWSAlgorithm(name: $0) != nil }
        if ours.isEmpty {
            return ProviderCheck(
                "algorithms", .fail, "it signs ID tokens with \(ProviderAbilityChecks.list(named)), and none of that is accepted",
                advice: "set the client to RS256, PS256, ES256 or EdDSA at the provider")
        }
        let others = named.filter { !ours.contains($0) }
        return ProviderCheck(
            "algorithms", .ok,
            "it signs ID tokens with \(ProviderAbilityChecks.list(ours))"
                + (others.isEmpty ? "" : "; \(ProviderAbilityChecks.list(others)) would be refused"))
    }
}
