import Vocabulary

/// Why there is no answer to a request. The description is one sentence for a person: it names the URL without its query and never
/// holds a header, a body or a secret. Two errors are equal when their codes are.
public struct HTTPError: Error, Equatable, Sendable {
    public enum Code: Sendable, CaseIterable {
        case nameNotResolved, connectionFailed, tls, timeout, tooLarge, redirectRefused, cutOff, notHTTP, badRequest, trustStore, other
    }

    public let code: Code
    /// What libcurl or the other side said, escaped and cut.
    public let detail: String
    /// Where the request went, without the query.
    public let url: String

    init(_ code: Code, _ url: WebURL, _ detail: String = "") {
        self.code = code
        self.url = Text(url.shown).escaped(limit: 300)
        self.detail = Text(detail).escaped(limit: 200)
    }

    public static func == (left: HTTPError, right: HTTPError) -> Bool { left.code == right.code }
}

extension HTTPError: CustomStringConvertible {
    public var description: String { "\(url): \(reason)" }

    /// The description without the URL, where that is said already.
    public var reason: String { wording + (detail.isEmpty ? "" : ": " + detail) }

    private var wording: String {
        switch code {
        case .nameNotResolved: "the host name cannot be resolved"
        case .connectionFailed: "no connection"
        case .tls: "the server's TLS certificate or connection is not acceptable"
        case .timeout: "no complete answer in time"
        case .tooLarge: "the answer is too large"
        case .redirectRefused: "the server redirects to where this request must not go"
        case .cutOff: "the answer was cut off"
        case .notHTTP: "the answer is not HTTP"
        case .badRequest: "the request cannot be sent"
        case .trustStore: "the certificates of the authorities to trust cannot be read"
        case .other: "the request failed"
        }
    }
}
