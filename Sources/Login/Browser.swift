import ChildProcess
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Opens a page in the person's browser: by argument vector, never by a shell (C33, C34), and with nothing secret in the browser's
/// environment (C38).
public struct Browser: Sendable {
    let environment: ProcessEnvironment
    /// What the kernel calls its release, as /proc has it.
    private let kernelRelease: Text

    /// As this process's environment names it.
    public init() {
        self.init(environment: .inherited(), kernelRelease: Browser.kernelRelease())
    }

    init(environment: ProcessEnvironment, kernelRelease: Text = "") {
        self.environment = environment
        self.kernelRelease = kernelRelease
    }

    /// Whether a browser was started. What it does then cannot be known.
    public func open(_ url: String) -> Bool {
        guard Browser.isHarmless(url) else { return false }
        for command in commands(for: url) {
            guard let program = path(of: command[0]) else { continue }
            do throws(ChildFailure) {
                try ChildProcess.spawnDetached(program, Array(command.dropFirst()), environment: environment.withoutSecrets)
                return true
            } catch {
                continue
            }
        }
        return false
    }

    /// Whether there is a program that a page could be opened with.
    public var isThere: Bool { commands(for: "").contains { path(of: $0[0]) != nil } }

    /// `https://` or `http://`, then the characters of RFC 3986 alone: nothing that a program could take for an option or a
    /// terminal for a command.
    static func isHarmless(_ url: String) -> Bool {
        guard url.hasPrefix("https://") || url.hasPrefix("http://") else { return false }
        let marks = Set("-._~:/?#[]@!$&'()*+,;=%".utf8)
        return url.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: marks.contains(byte)
            }
        }
    }

    /// What to try, in order. `$BROWSER` is a list with colons between, as Debian's sensible-browser reads it; `%s` in a word stands
    /// for the URL, which else comes last. Its words are split at spaces and mean nothing else.
    func commands(for url: String) -> [[String]] {
        if let chosen = environment["BROWSER"], !chosen.isEmpty {
            return chosen.split(separator: ":").compactMap { command in
                let words = command.split(separator: " ").map(String.init)
                guard !words.isEmpty else { return nil }
                guard words.contains(where: { $0.contains("%s") }) else { return words + [url] }
                return words.map { word in
                    word.split(separator: "%s", omittingEmptySubsequences: false).joined(separator: url)
                }
            }
        }
        #if os(macOS)
            return [["/usr/bin/open", url]]
        #else
            return windowsCommands(for: url) + desktopCommands(for: url)
        #endif
    }

    /// Linux under Windows (WSL): the browser is a program of Windows. `wslview` asks Windows itself; without it rundll32 does, which takes
    /// the URL as it is. `cmd.exe /c start` would read `&` in it as the end of a command, and explorer.exe opens a folder where a URL has a
    /// query.
    private func windowsCommands(for url: String) -> [[String]] {
        guard isUnderWindows else { return [] }
        let arguments = ["url.dll,FileProtocolHandler", url]
        return [["wslview", url], ["/mnt/c/Windows/System32/rundll32.exe"] + arguments, ["rundll32.exe"] + arguments]
    }

    /// Whether this is Linux under Windows (WSL).
    var isUnderWindows: Bool {
        if environment["WSL_DISTRO_NAME"]?.isEmpty == false { return true }
        let name = Array("microsoft".utf8)
        let release = kernelRelease.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        return release.indices.contains { release[$0...].starts(with: name) }
    }

    /// Without a display they would start a text browser in this terminal, or none.
    private func desktopCommands(for url: String) -> [[String]] {
        guard ["DISPLAY", "WAYLAND_DISPLAY"].contains(where: { environment[$0]?.isEmpty == false }) else { return [] }
        return [["xdg-open", url], ["sensible-browser", url], ["x-www-browser", url]]
    }

    /// Empty where there is none, or it cannot be read.
    private static func kernelRelease() -> Text {
        #if os(Linux)
            let descriptor = unsafe Glibc.open("/proc/sys/kernel/osrelease", O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return "" }
            defer { _ = close(descriptor) }
            var buffer = [UInt8](repeating: 0, count: 256)
            let count = unsafe read(descriptor, &buffer, buffer.count)
            return count > 0 ? Text(validating: buffer[..<count]) ?? "" : ""
        #else
            return ""
        #endif
    }

    /// As execvp finds it, but only in absolute folders of PATH.
    private func path(of program: String) -> String? {
        if program.contains("/") { return program.hasPrefix("/") ? program : nil }
        let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        return folders.filter { $0.hasPrefix("/") }.map { "\($0)/\(program)" }.first { unsafe access($0, X_OK) == 0 }
    }
}
