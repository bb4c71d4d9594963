public import Vocabulary

/// The URL of an issuer or of one of its endpoints, parsed strictly (RFC 3986, C41) and kept as it was given, byte for byte.
///
/// `https`, or `http` where the whole host is `localhost`, `127.0.0.1` or `[::1]`. ASCII only, at most 2048 bytes. No user
/// information, no fragment, no dot segments (nor `%2e`), no host that another parser could read as a different one: no empty
/// label, no IPv4 address but the dotted decimal form, no IPv6 zone.
public struct WebURL: Hashable, Sendable {
    public enum Scheme: String, Sendable { case https, http }

    public let scheme: Scheme
    public let host: Host
    /// 1 to 65535; the scheme's default where the URL names none.
    public let port: UInt16
    /// From the first `/`, without the query; may be empty.
    public let path: String
    /// What follows the `?`, without it; nil where there is no `?`.
    public let query: String?
    /// The whole URL as it was given.
    public let text: String

    public static let maximumLength = 2048

    public init(parsing text: Text) throws(WebURLError) {
        self = try WebURLParser(text.utf8).parse()
    }

    public init(parsing string: String) throws(WebURLError) {
        try self.init(parsing: Text(string))
    }

    init(scheme: Scheme, host: Host, port: UInt16, path: String, query: String?, text: String) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path
        self.query = query
        self.text = text
    }

    /// Who answers: scheme, host without regard to case, port (RFC 6454).
    public struct Origin: Hashable, Sendable {
        public let scheme: Scheme
        public let host: String
        public let port: UInt16
    }

    public var origin: Origin { Origin(scheme: scheme, host: host.lowercased, port: port) }

    /// For an error message: without the query, which may hold a code.
    public var shown: String {
        query == nil ? text : String(text.prefix { $0 != "?" })
    }
}

/// What is wrong with a URL. The wording never repeats the URL.
public enum WebURLError: Error, Equatable, Sendable {
    case tooLong, notASCII, forbiddenCharacter, notHTTPS, plainHTTP, userInformation, fragment, host, port, dotSegment, percentEncoding
}

extension WebURLError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooLong: "the URL is longer than \(WebURL.maximumLength) bytes"
        case .notASCII: "the URL has a character outside ASCII"
        case .forbiddenCharacter: "the URL has a character that does not belong in one"
        case .notHTTPS: "the URL does not begin with https://"
        case .plainHTTP: "the URL is http: and its host is not localhost, 127.0.0.1 or [::1]"
        case .userInformation: "the URL has a user name or password"
        case .fragment: "the URL has a fragment (#)"
        case .host: "the URL's host is missing or malformed"
        case .port: "the URL's port is malformed"
        case .dotSegment: "the URL's path has a segment . or .."
        case .percentEncoding: "the URL has a % that is not followed by two hexadecimal digits"
        }
    }
}
