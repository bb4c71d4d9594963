import JOSE
import LibCrypto
import Vocabulary

extension ProviderCore {
    /// OpenID Connect Discovery 1.0 section 3, RFC 8414, RFC 8628 section 4, RFC 9207 section 3.
    func discoveryDocument(fault: Fault?) -> JSON {
        var document = JSONObject()
        document["issuer"] = .string(issuer)
        document["authorization_endpoint"] = url(.authorize)
        document["token_endpoint"] = url(.token)
        document["userinfo_endpoint"] = url(.userinfo)
        document["jwks_uri"] = url(.jwks)
        document["device_authorization_endpoint"] = url(.deviceAuthorization)
        document["revocation_endpoint"] = url(.revoke)
        document["end_session_endpoint"] = url(.endSession)
        document["scopes_supported"] = ["openid", "profile", "email", "groups", "offline_access"]
        document["response_types_supported"] = ["code"]
        document["response_modes_supported"] = ["query"]
        document["grant_types_supported"] = [
            "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code",
        ]
        document["subject_types_supported"] = ["public"]
        document["id_token_signing_alg_values_supported"] = .array(
            SigningAlgorithm.allCases.map { .string(Text($0.rawValue)) })
        document["token_endpoint_auth_methods_supported"] = ["none", "client_secret_basic", "client_secret_post"]
        document["revocation_endpoint_auth_methods_supported"] = ["none", "client_secret_basic", "client_secret_post"]
        document["code_challenge_methods_supported"] = ["S256"]
        document["claims_supported"] = [
            "iss", "sub", "aud", "azp", "exp", "iat", "auth_time", "nonce", "at_hash", "name", "preferred_username", "email",
            "email_verified", "groups",
        ]
        document["authorization_response_iss_parameter_supported"] = true
        document["request_parameter_supported"] = false
        document["request_uri_parameter_supported"] = false
        document["claims_parameter_supported"] = false
        if case .issuer(let wrong)? = fault?.kind { document["issuer"] = .string(wrong) }
        return .object(document.overridden(by: behaviour.overrides[.discovery]))
    }

    /// RFC 7517 section 5; the signing key comes first.
    func keySet() -> JSON {
        let keys = keys.published.map { entry in
            var key = entry.key.publicKey.jwk
            key["kid"] = .string(entry.identifier)
            key["alg"] = .string(Text(entry.algorithm.rawValue))
            key["use"] = "sig"
            return JSON.object(key.overridden(by: behaviour.overrides[.jwk]))
        }
        return .object(JSONObject([("keys", .array(keys))]).overridden(by: behaviour.overrides[.jwks]))
    }

    private func url(_ endpoint: Endpoint) -> JSON {
        .string(Text(issuer.string + endpoint.rawValue))
    }
}
