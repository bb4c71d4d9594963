import Foundation

/// A system of its own on this machine: a small Debian in memory, with an sshd newer than this machine's, or a copy of this machine
/// (`copyOfThisMachine`). It has the server's folder in the same place and the server's accounts,
/// and shares the network, so that a test need not know where it runs.
///
/// It lives in a mount and a process namespace of its own: nobody else sees its mounts, and when the process that holds them ends, as it does when the
/// tests are killed, all that was mounted or started there is gone.
final class SSHRoot: Sendable {
    private let holder: BackgroundProcess
    private let inside: pid_t
    private let place: String

    private static let script = """
        set -e
        root=$1 archive=$2 folder=$3 accounts=$4 tests=$5
        mount -t tmpfs -o mode=0755 sshd-root "$root"
        tar -C "$root" -xpf "$archive"
        cd "$root"
        mkdir -p proc dev run/sshd ".$folder"
        mount -t proc proc proc
        mknod -m 0666 dev/null c 1 3
        mknod -m 0666 dev/zero c 1 5
        mknod -m 0666 dev/full c 1 7
        mknod -m 0666 dev/random c 1 8
        mknod -m 0666 dev/urandom c 1 9
        mknod -m 0666 dev/tty c 5 0
        mkdir dev/pts
        mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts dev/pts
        ln -s pts/ptmx dev/ptmx
        ln -s "$folder/log" dev/log
        mount --bind "$folder" ".$folder"
        printf '127.0.0.1 localhost\\n::1 localhost\\n' > etc/hosts
        # "*": no password fits, and yet the account is not locked. There is no line for it in etc/shadow.
        sed -n "s/^\\($accounts[^:]*\\):[^:]*:/\\1:*:/p" /etc/passwd >> etc/passwd
        grep "^$accounts" /etc/group >> etc/group
        echo ready
        # /proc is still that of outside, where the tests are a process.
        while [ -d "/proc/$tests" ]; do sleep 2; done
        """

    /// - Parameter server: the server's folder, in which accounts and configuration are already made.
    static func start(_ archive: URL, name: String, server: URL) async throws -> SSHRoot {
        try await start(
            script, name: name, server: server, [archive.path, server.path, "\(Accounts.prefix)\(getpid())-", String(getpid())])
    }

    /// - Parameters:
    ///   - script: makes the root in the folder that is its first word, says `ready`, and stays until the tests are over.
    ///   - words: what it gets besides.
    static func start(_ script: String, name: String, server: URL, _ words: [String]) async throws -> SSHRoot {
        let place = server.appendingPathComponent("root-\(name)").path
        try await Command.mustRun("install", ["-d", "-m", "0755", place])
        let holder = try BackgroundProcess(
            "unshare",
            ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "bash", "-c", script, "bash", place] + words,
            log: server.appendingPathComponent("root-\(name).log"))
        do {
            _ = try await holder.waitForLine("root of \(name)") { $0 == "ready" ? true : nil }
            return try SSHRoot(holder: holder, place: place)
        } catch {
            await holder.stop()
            throw error
        }
    }

    private init(holder: BackgroundProcess, place: String) throws {
        // unshare stays outside; its only child is the first process of the namespace.
        let own = holder.identifier
        let children = (try? String(contentsOfFile: "/proc/\(own)/task/\(own)/children", encoding: .utf8)) ?? ""
        guard let inside = children.split(separator: " ").first.flatMap({ pid_t($0) }) else { throw HarnessError("unshare has no child") }
        self.holder = holder
        self.inside = inside
        self.place = place
    }

    /// What a program and its arguments are put behind, to run in there.
    func entering() throws -> [String] {
        guard let nsenter = Machine.path("nsenter") else { throw HarnessError("no nsenter") }
        return [nsenter, "--target", String(inside), "--mount", "--pid", "chroot", place]
    }

    /// With its first process the whole namespace ends.
    func stop() async {
        kill(inside, SIGKILL)
        await holder.stop()
    }
}
