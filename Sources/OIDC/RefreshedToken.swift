public import JOSE
import Vocabulary

/// What a refreshed ID token may say, beside the one that the login got (OpenID Connect Core section 12.2, C29). Its signature and its times are
/// the same code's business as on the server.
public enum RefreshedToken {
    public enum Fault: String, Sendable, CaseIterable {
        case issuer = "it is of another issuer (iss)"
        case subject = "it is of another person (sub)"
        case audience = "it is for others than before (aud)"
        case authorizedParty = "it is for another client than before (azp)"
        case older = "it was issued before the one that it follows (iat)"
        case nonce = "it has another nonce"
        case authenticated = "it says that the person logged in at another time (auth_time)"
    }

    /// - Parameter login: the claims of the login's own ID token, or of one that was refreshed from it.
    public static func check(_ fresh: JSONObject, against login: JSONObject) throws(OIDCError) {
        if let fault = fault(in: fresh, login) { throw .refreshedToken(fault) }
    }

    private static func fault(in fresh: JSONObject, _ login: JSONObject) -> Fault? {
        guard let issuer = fresh["iss"]?.string, issuer == login["iss"]?.string else { return .issuer }
        guard let subject = fresh["sub"]?.string, subject == login["sub"]?.string else { return .subject }
        guard let audience = audience(fresh), audience == self.audience(login) else { return .audience }
        guard fresh["azp"] == login["azp"] else { return .authorizedParty }
        guard let issuedAt = fresh["iat"]?.number?.time, let before = login["iat"]?.number?.time, issuedAt >= before else { return .older }
        // It should have none; one that is there is the login's.
        if let nonce = fresh["nonce"], nonce != login["nonce"] { return .nonce }
        if let time = fresh["auth_time"] {
            guard let authenticated = time.number?.time else { return .authenticated }
            // Where the login's token did not say when, it cannot have been after it.
            guard let said = login["auth_time"] else { return authenticated <= before ? nil : .authenticated }
            guard authenticated == said.number?.time else { return .authenticated }
        }
        return nil
    }

    /// In any order.
    private static func audience(_ claims: JSONObject) -> Set<Text>? {
        switch claims["aud"] {
        case .string(let name): return [name]
        case .array(let elements):
            let names = elements.compactMap(\.string)
            return names.count == elements.count ? Set(names) : nil
        default: return nil
        }
    }
}
