/// How a person gets to the provider's login page, and the answer back here.
public enum LoginWay: String, Sendable, CaseIterable {
    /// In a browser on this machine, which comes back to a port of loopback.
    case browser
    /// In a browser anywhere; the person brings back the address at which it ends.
    case remote
    /// On any other device, with a code that the person types there; this machine asks until he has (RFC 8628).
    case device
}
