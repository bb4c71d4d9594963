/// A parser, and what must hold of it for every input there is.
public struct FuzzTarget: Sendable {
    public let name: String
    /// Comes back; a finding ends the process.
    public let run: @Sendable ([UInt8]) -> Void

    public static let all: [FuzzTarget] = [
        FuzzTarget(name: "certificate", run: certificate),
        FuzzTarget(name: "compactToken", run: compactToken),
        FuzzTarget(name: "json", run: json),
        FuzzTarget(name: "login", run: login),
        FuzzTarget(name: "authID", run: authID),
        FuzzTarget(name: "providers", run: providers),
        FuzzTarget(name: "config", run: config),
        FuzzTarget(name: "revoked", run: revoked),
        FuzzTarget(name: "keyCache", run: keyCache),
        FuzzTarget(name: "userinfo", run: userinfo),
        FuzzTarget(name: "principal", run: principal),
        FuzzTarget(name: "verify", run: verify),
        FuzzTarget(name: "plugin", run: plugin),
        FuzzTarget(name: "auditEvent", run: auditEvent),
    ]
}

/// Ends the process unless `holds`.
func must(_ holds: Bool, _ rule: @autoclosure () -> String) {
    if !holds { preconditionFailure("finding: " + rule()) }
}
