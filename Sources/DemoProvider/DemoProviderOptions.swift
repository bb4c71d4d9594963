public import Vocabulary

/// How a demo provider starts. There is no option for the address: it is loopback.
public struct DemoProviderOptions: Sendable {
    /// 0 takes a free one.
    public var port: UInt16 = 0
    /// The issuer and the root of all endpoints where something in front of the provider, a TLS proxy say, has another name: `https` or
    /// `http`, a loopback host, no path. Nil is `http://localhost:PORT`.
    public var externalURL: Text?
    public var clients: [Client] = [Client("opk-demo")]
    /// Redirect URIs that are allowed byte for byte, besides any loopback one (RFC 8252 section 7.3).
    public var redirectURIs: [Text] = []
    /// The bearer token of the control endpoint; nil makes a random one.
    public var controlToken: Text?
    /// Control documents (see `ControlDocument`) that hold from the start.
    public var control: [Text] = []

    public init() {}

    /// With one control document, as most tests want it.
    public init(control: Text) {
        self.control = [control]
    }
}

/// Why a demo provider did not start, or did not do as it was told.
public enum DemoProviderError: Error, Equatable, Sendable {
    /// The port is taken, on one of the loopback addresses at least.
    case portTaken(UInt16)
    /// Only loopback hosts, without a path.
    case externalURL
    /// The control document cannot be used, and why.
    case control(String)
    case noKey
}

extension DemoProviderError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .portTaken(let port): "cannot listen on port \(port) of 127.0.0.1 and [::1]"
        case .externalURL: "the external URL must be http or https, a loopback host (localhost, 127.0.0.1, [::1]) and a port, no path"
        case .control(let text): text
        case .noKey: "cannot make a signing key"
        }
    }
}
