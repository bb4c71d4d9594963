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
    private static let socket = "SSH_AUTH_SOCK"

    /// What is said after a login whose refresh token was kept: who keeps it alive, or what to run so that somebody does.
    ///
    /// - Parameter needsAgent: whether the agent signs, or is given what was renewed: then the service has to know where it listens.
    public static func hint(environment: ProcessEnvironment, needsAgent: Bool = false) -> String {
        guard let program = systemctl(environment) else { return "It is kept alive by `opk agent-refresh`, which has to run for that." }
        let isRunning = ask(program, environment, ["is-active", "--quiet", unit]) != nil
        if needsAgent, !knowsAgent(program, environment) {
            return "It is kept alive by `opk agent-refresh`, which has to know where ssh-agent listens: "
                + "systemctl --user import-environment \(socket) && "
                + (isRunning ? "systemctl --user restart opk-agent-refresh" : starting)
        }
        return isRunning
            ? "It is kept alive by the service opk-agent-refresh."
            : "It is kept alive by `opk agent-refresh`: \(starting) (or leave that command running)"
    }

    private static let starting = "systemctl --user enable --now opk-agent-refresh"

    /// What a person runs so that identities are refreshed. Nothing is asked.
    static func start(_ environment: ProcessEnvironment) -> String {
        systemctl(environment) == nil ? "opk agent-refresh" : starting
    }

    /// Whether what the service manager starts gets this very agent.
    private static func knowsAgent(_ program: String, _ environment: ProcessEnvironment) -> Bool {
        guard let path = environment[socket], let output = ask(program, environment, ["show-environment"]) else { return false }
        // As systemctl prints a variable; in quotes ($'…') where a shell needs them.
        let line = "\(socket)=\(path)"
        return output.split(separator: UInt8(ascii: "\n")).contains { $0.elementsEqual(line.utf8) }
    }

    /// What systemctl prints; nil where it does not succeed.
    private static func ask(_ program: String, _ environment: ProcessEnvironment, _ arguments: [String]) -> [UInt8]? {
        var own = ProcessEnvironment.empty
        for name in variables { own[name] = environment[name] }
        let outcome = try? ChildProcess.run(
            program, ["--user"] + arguments, environment: own, outputLimit: 256 << 10, deadline: patience)
        return outcome.flatMap { $0.succeeded ? Array($0.output) : nil }
    }

    /// In the absolute folders of PATH alone.
    private static func systemctl(_ environment: ProcessEnvironment) -> String? {
        let folders = (environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        return folders.filter { $0.hasPrefix("/") }.map { "\($0)/systemctl" }.first { unsafe access($0, X_OK) == 0 }
    }
}
