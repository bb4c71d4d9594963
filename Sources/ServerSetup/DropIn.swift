import Audit
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where our two lines have to stand, so that they are the first that sshd reads: it takes the first AuthorizedKeysCommand.
struct DropIn: Hashable, Sendable {
    /// A file of the drop-in folder.
    let path: String
    /// Whether sshd's own file must include it, at its top, since it would else come too late or not at all.
    let needsInclude: Bool

    /// The usual name, which `make install` has, and those that come before others'.
    private static let names = ["60-opk.conf", "05-opk.conf", "01-opk.conf", "00-opk.conf", "00-000-opk.conf"]

    static func text(command: String, user: String) -> String {
        """
        # How sshd asks opk whether an OpenPubkey certificate may log in: sshd_config(5), opk-verify(8). `opk setup server` wrote it, and
        # `opk setup server --undo` takes it away.
        AuthorizedKeysCommand \(command)
        AuthorizedKeysCommandUser \(user)

        """
    }

    /// - Parameters:
    ///   - gone: files that will not be there.
    static func chosen(_ places: ServerPlaces, without gone: Set<String>) -> DropIn {
        let scan = Scan(places, without: gone)
        let free = names.filter { name in
            let path = places.dropInFolder + "/" + name
            return unsafe access(path, F_OK) != 0 || gone.contains(path)
        }
        // The smallest change: a name that comes before everything that has the word now.
        let name =
            free.first { name in scan.rivals.allSatisfy { name.utf8.lexicographicallyPrecedes($0.utf8) } } ?? free.last
            ?? "00-000-opk-setup.conf"
        let isFirst = scan.rivals.allSatisfy { name.utf8.lexicographicallyPrecedes($0.utf8) }
        return DropIn(path: places.dropInFolder + "/" + name, needsInclude: !scan.includesFolder || !isFirst)
    }
}

/// What sshd's own file says before it comes to the drop-in folder.
private struct Scan {
    /// Whether the folder is included outside of any Match block, and before any line of the kind that is ours.
    private(set) var includesFolder = false
    /// Names of files in the folder that have such a line.
    private(set) var rivals: [String] = []

    init(_ places: ServerPlaces, without gone: Set<String>) {
        guard let bytes = try? FileState.read(places.sshdConfig)?.bytes else { return }
        let probe = places.dropInFolder + "/60-opk.conf"
        lines: for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let (keyword, value) = SSHDFiles.parts(line) else { continue }
            switch keyword {
            case "match": break lines
            case _ where Scan.isOurs(keyword): break lines
            case "include":
                for pattern in SSHDFiles.words(value) {
                    let full = pattern.hasPrefix("/") ? pattern : "/etc/ssh/" + pattern
                    if unsafe fnmatch(full, probe, FNM_PATHNAME | FNM_PERIOD) == 0 {
                        includesFolder = true
                        rivals = SSHDFiles.expand(full).filter { !gone.contains($0) && Scan.hasOurs($0) }
                            .map { $0.split(separator: "/").last.map(String.init) ?? $0 }
                        break lines
                    }
                    if SSHDFiles.expand(full).contains(where: { !gone.contains($0) && Scan.hasOurs($0) }) { break lines }
                }
            default: break
            }
        }
    }

    private static func isOurs(_ keyword: String) -> Bool { keyword == "authorizedkeyscommand" || keyword == "authorizedkeyscommanduser" }

    private static func hasOurs(_ file: String) -> Bool { SSHDFiles(file).lines.contains { $0.match == nil && isOurs($0.keyword) } }
}
