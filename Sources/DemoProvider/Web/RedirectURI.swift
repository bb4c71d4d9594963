import Vocabulary

/// Where an authorization response may go.
enum RedirectURI {
    /// RFC 8252 section 7.3: `http` to a loopback host, any port, any path; no user part and no fragment. Anything else only if
    /// `registered` holds it byte for byte.
    static func isAllowed(_ uri: Text, registered: [Text]) -> Bool {
        registered.contains(uri) || isLoopback(uri)
    }

    static func isLoopback(_ uri: Text) -> Bool {
        let scheme: Text = "http://"
        guard uri.hasPrefix(scheme), uri.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !uri.contains(UInt8(ascii: "#")),
            !uri.contains(UInt8(ascii: "\\"))
        else { return false }
        let authority = uri.utf8.dropFirst(scheme.count).prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
        return Text(validating: authority).map { LoopbackHost(authority: $0) != nil } ?? false
    }

    /// The URI with `parameters` added to its query.
    static func adding(_ parameters: Form, to uri: Text) -> String {
        uri.string + (uri.contains(UInt8(ascii: "?")) ? "&" : "?") + parameters.encoded
    }
}
