import ChildProcess

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Browser {
    /// Whether the person's browser is most likely on another machine: this one is reached by ssh, or is a container, and has no display.
    public var isElsewhere: Bool { isElsewhere(marks: ["/.dockerenv", "/run/.containerenv"]) }

    /// - Parameter marks: what Docker and Podman leave in a container.
    func isElsewhere(marks: [String]) -> Bool {
        func isSet(_ name: String) -> Bool { environment[name]?.isEmpty == false }
        if ["BROWSER", "DISPLAY", "WAYLAND_DISPLAY"].contains(where: isSet) { return false }
        if ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "container", "KUBERNETES_SERVICE_HOST"].contains(where: isSet) { return true }
        return marks.contains { (path: String) in unsafe access(path, F_OK) == 0 }
    }
}
