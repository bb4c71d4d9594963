import Display
import HTTP
import OIDC
import Vocabulary

// What it means for a person that a provider did not answer, or said no.

extension LoginError {
    /// - Parameter otherwise: where the provider answered, and its answer cannot be used.
    init(_ error: OIDCError, of issuer: Text, otherwise: (String) -> LoginError) {
        switch error {
        case .http(let http) where LoginError.isSilence(http.code): self = .unreachable(issuer: issuer, http)
        default: self = otherwise("\(error)")
        }
    }

    /// Whether the request did not get there, or the answer not back.
    private static func isSilence(_ code: HTTPError.Code) -> Bool {
        [.nameNotResolved, .connectionFailed, .timeout, .tls, .trustStore].contains(code)
    }

    /// A provider's `error` (RFC 6749 sections 4.1.2.1 and 5.2). Those that are about the client say which client.
    static func refused(_ error: Text, _ description: Text?, _ config: ProviderConfig) -> LoginError {
        guard ["invalid_client", "unauthorized_client"].contains(error) else {
            return .refusedByProvider(error: error, description: description)
        }
        return .clientRefused(issuer: config.issuer, clientID: config.clientID, hasSecret: config.clientSecret != nil, error, description)
    }

    /// Where nothing came that could say more, what the provider's page may have said: only the browser has seen it.
    func afterWaiting(at uri: RedirectURI, _ config: ProviderConfig) -> LoginError {
        guard case .noAnswer(let strays) = self, !strays.contains(where: \.isWorthMentioning) else { return self }
        return .nothingCameBack(clientID: config.clientID, uri)
    }

    static func hint(for error: HTTPError, at now: UnixTime = .now()) -> String {
        let host = LoginError.host(of: error.url)
        switch error.code {
        case .nameNotResolved: return "is this machine online? Try `getent hosts \(host)`; where it is, check the issuer's spelling"
        case .connectionFailed: return "is \(host) up, and does the network (a VPN, a firewall, HTTPS_PROXY) let this machine through?"
        case .timeout: return "the network or the provider is slow: try again"
        case .tls where LoginError.isAboutTime(error.detail):
            return
                "this machine's clock says \(now.local); if that is wrong, set it: `timedatectl set-ntp true`; if not, only the provider "
                + "can mend its certificate"
        case .tls:
            return "is the provider's authority one of your own? Name its certificate in SSL_CERT_FILE; in a strange network log in to the "
                + "network first"
        default: return "SSL_CERT_FILE and SSL_CERT_DIR must name certificates that can be read"
        }
    }

    /// In OpenSSL's words.
    private static func isAboutTime(_ detail: String) -> Bool {
        ["expired", "not yet valid"].contains { Text(detail).contains(Text($0)) }
    }

    private static func host(of url: String) -> String {
        let parts = url.split(separator: "/", omittingEmptySubsequences: true)
        return parts.count > 1 ? String(parts[1].prefix { $0 != ":" }) : url
    }
}

extension Text {
    fileprivate func contains(_ part: Text) -> Bool {
        guard count >= part.count else { return false }
        return (0...(count - part.count)).contains { utf8[$0...].starts(with: part.utf8) }
    }
}
