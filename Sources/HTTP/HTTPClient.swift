import Vocabulary

/// Asks an identity provider, and nobody else.
///
/// One deadline over everything, redirects included; one limit on the body; TLS 1.2 or later, always verified; no cookies, no netrc, no
/// content coding; proxies only from the environment's standard variables, and none for this machine. Blocks the calling thread.
public struct HTTPClient: Sendable {
    /// For one call, redirects included.
    public var timeout: Duration
    /// In bytes, of one body.
    public var bodyLimit: Int
    /// Where given, only these certificates (a PEM file) are trusted; otherwise the system's, and `SSL_CERT_FILE` and `SSL_CERT_DIR` of
    /// the environment, as Go and OpenSSL read them.
    public var authorities: String?
    /// That `get` follows, all to the same origin. None where the request carries what only its address may see.
    public var maximumRedirects = 5
    /// Told of each request when it has ended.
    public var observer: (@Sendable (Exchange) -> Void)?

    /// One request and how it ended: what may be shown to anybody. No query, no body, no header.
    public struct Exchange: Sendable {
        public let method: String
        /// Escaped.
        public let url: String
        public let outcome: Result<Int, HTTPError>
        public let duration: Duration
    }

    public init(timeout: Duration = .seconds(5), bodyLimit: Int = 1 << 20, authorities: String? = nil) {
        self.timeout = timeout
        self.bodyLimit = bodyLimit
        self.authorities = authorities
    }

    /// How the request says who asks. Never part of an error or a log.
    public enum Credentials: Sendable {
        case none
        /// RFC 6750 section 2.1.
        case bearer(String)
        /// RFC 7617; user and password are bytes of their own choosing (RFC 6749 section 2.3.1 form-encodes them first: the caller does).
        case basic(user: String, password: String)
    }

    /// Follows redirects, at most `maximumRedirects` and all to the same origin (C04).
    public func get(_ url: WebURL, credentials: Credentials = .none) throws(HTTPError) -> HTTPResponse {
        let end = ContinuousClock.now + timeout
        var next = url
        for _ in 0...max(0, maximumRedirects) {
            let answer = try transfer(next, .get, credentials, end)
            guard HTTPClient.redirects.contains(answer.response.status) else { return answer.response }
            guard let location = answer.location else { throw HTTPError(.redirectRefused, next, "no usable Location") }
            guard let target = try? WebURL(parsing: location), target.origin == url.origin else {
                throw HTTPError(.redirectRefused, next, "to another origin or an unacceptable URL")
            }
            next = target
        }
        throw HTTPError(.redirectRefused, url, "more than \(maximumRedirects) redirects")
    }

    /// What a browser would be shown at first: asks for a page, and follows no redirect; where one points is in the answer.
    public func look(at url: WebURL) throws(HTTPError) -> HTTPResponse {
        try transfer(url, .get, .none, .now + timeout, accept: "text/html, */*;q=0.5").response
    }

    /// Never follows a redirect: a code, a verifier, a secret goes where it was sent and nowhere else (C05).
    public func post(_ url: WebURL, form: [(name: String, value: String)], credentials: Credentials = .none)
        throws(HTTPError) -> HTTPResponse
    {
        try unredirected(try transfer(url, .post(Form.encode(form)), credentials, .now + timeout), url)
    }

    /// Never follows a redirect either.
    public func post(_ url: WebURL, json: [UInt8]) throws(HTTPError) -> HTTPResponse {
        let body = String(decoding: json, as: UTF8.self)
        let more = ["Content-Type: application/json"]
        return try unredirected(try transfer(url, .post(body), .none, .now + timeout, more: more, accept: "*/*"), url)
    }

    private func unredirected(_ answer: Transfer.Answer, _ url: WebURL) throws(HTTPError) -> HTTPResponse {
        guard !(300...399).contains(answer.response.status) else { throw HTTPError(.redirectRefused, url, "in answer to a POST") }
        return answer.response
    }

    private static let redirects: Set<Int> = [301, 302, 303, 307, 308]

    private func transfer(
        _ url: WebURL, _ method: Transfer.Method, _ credentials: Credentials, _ end: ContinuousClock.Instant,
        more: [String] = [], accept: String = "application/json"
    ) throws(HTTPError) -> Transfer.Answer {
        let left = ContinuousClock.now.duration(to: end) / .milliseconds(1)
        guard left >= 1 else { throw HTTPError(.timeout, url) }
        var headers = ["Accept: " + accept] + more
        switch credentials {
        case .none: break
        case .bearer(let token): headers.append("Authorization: Bearer " + token)
        case .basic(let user, let password): headers.append("Authorization: Basic " + Base64.encode(Array((user + ":" + password).utf8)))
        }
        // A header that could end early and begin another is not sent (CWE-113).
        guard headers.allSatisfy({ $0.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } }) else {
            throw HTTPError(.badRequest, url, "the credentials have a character that cannot be sent")
        }
        let transfer = Transfer(url: url, bodyLimit: bodyLimit)
        let start = ContinuousClock.now
        do {
            let answer = try transfer.perform(method, headers: headers, milliseconds: Int(left), authorities: authorities)
            tell(method, url, .success(answer.response.status), since: start)
            return answer
        } catch {
            tell(method, url, .failure(error), since: start)
            throw error
        }
    }

    private func tell(_ method: Transfer.Method, _ url: WebURL, _ outcome: Result<Int, HTTPError>, since start: ContinuousClock.Instant) {
        guard let observer else { return }
        observer(
            Exchange(method: method.name, url: Text(url.shown).escaped(limit: 300), outcome: outcome, duration: start.duration(to: .now)))
    }
}
