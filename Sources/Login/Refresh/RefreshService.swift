public import ChildProcess

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The person's own `opk-agent-refresh.service`, where the system has systemd.
public enum RefreshService {
    private static let unit = "opk-agent-refresh.service"
    /// Milliseconds: a service manager that hangs must not hold up a login that is done.
    private static let patience = 3000
    /// What systemctl has to know to find the person's service manager.
    private static let variables = ["XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "HOME"]

    /// What is said after a login whose refresh token was kept: who keeps it alive, or what to run so that somebody does.
    public static func hint(environment: ProcessEnvironment) -> String {
        guard let program = systemctl(environment) else { return "It is kept alive by `opk agent-refresh`, which has to run for that." }
        if isRunning(program, environment) { return "It is kept alive by the service opk-agent-refresh." }
        return "It is kept alive by `opk agent-refresh`: systemctl --user enable --now opk-agent-refresh (or leave that command running)"
    }

    private static func isRunning(_ program: String, _ environment: ProcessEnvironment) -> Bool {
        var own = ProcessEnvironment.empty
        for name in variables { own[name] = environment[name] }
        let outcome = try? ChildProcess.run(
            program, ["--user", "is-active", "--quiet", unit], environment: own, outputLimit: 1000, deadline: patience)
        return outcome?.succeeded ?? false
    }

    /// In the absolute folders of PATH alone.
    private static func systemctl(_ environment: ProcessEnvironment) -> String? {
        let folders = (environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        return folders.filter { $0.hasPrefix("/") }.map { "\($0)/systemctl" }.first { unsafe access($0, X_OK) == 0 }
    }
}
