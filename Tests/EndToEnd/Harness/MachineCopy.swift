import Foundation

extension SSHRoot {
    /// An overlay over this machine's root, or another system in memory, of which nothing is left afterwards, with /dev, /proc and /run of its own.
    ///
    /// - Parameter making: a script that does in there what is wanted, with `$root`, where it is, and `$shown`.
    /// - Returns: a script whose words are: where; the folder that is to be seen in there, in the same place; the server's folder, too; the tests' process;
    ///   what to unpack, or nothing for this machine.
    private static func overlay(_ making: String) -> String {
        """
        set -e
        root=$1 shown=$2 folder=$3 tests=$4 archive=$5
        if [ -n "$archive" ]; then
            mount -t tmpfs -o mode=0755 sshd-root "$root"
            tar -C "$root" -xpf "$archive"
            cd "$root"
            mkdir -p dev proc run
            printf '127.0.0.1 localhost\\n::1 localhost\\n' > etc/hosts
        else
            mount -t tmpfs -o mode=0755 copy /mnt
            mkdir /mnt/upper /mnt/work /mnt/root
            mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
            mount --rbind /mnt/root "$root"
            cd "$root"
        fi
        mount -t tmpfs -o mode=0755 dev dev
        for node in 'null 3' 'zero 5' 'full 7' 'random 8' 'urandom 9'; do mknod -m 0666 "dev/${node% *}" c 1 "${node#* }"; done
        mknod -m 0666 dev/tty c 5 0
        mkdir dev/pts dev/shm
        ln -s /proc/self/fd dev/fd
        mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts dev/pts
        ln -s pts/ptmx dev/ptmx
        ln -s "$folder/log" dev/log
        mount -t proc proc proc
        mount -t tmpfs -o mode=0755 run run
        mkdir run/sshd
        mkdir -p ".$folder" ".$shown"
        mount --bind "$folder" ".$folder"
        mount --bind "$shown" ".$shown"
        \(making)
        echo ready
        # /proc is still that of outside, where the tests are a process.
        while [ -d "/proc/$tests" ]; do sleep 2; done
        """
    }

    /// A copy of this machine, or of the system in `archive`.
    ///
    /// - Parameters:
    ///   - shown: a folder that is to be seen in there, in the same place, as the server's is.
    ///   - accounts: they can log in by key only.
    ///   - making: what is done in there besides, before the accounts are made.
    static func copyOfThisMachine(
        _ name: String, server: URL, of archive: URL? = nil, showing shown: URL, accounts: [String], _ making: String = ""
    ) async throws -> SSHRoot {
        let users = accounts.map { "chroot \"$root\" useradd --create-home --home-dir /home/\($0) --shell /bin/sh --password '*' \($0)" }
        let script = overlay(([making] + users).joined(separator: "\n"))
        return try await start(script, name: name, server: server, [shown.path, server.path, String(getpid()), archive?.path ?? ""])
    }

    /// With two accounts, alice and bob.
    ///
    /// - Parameter isBare: whether nothing of opk's is there; else `make install` has been run.
    static func copyOfThisMachine(server: URL, isBare: Bool = false) async throws -> SSHRoot {
        let installing = "chroot \"$root\" sh -c 'cd \"$0\" && PREFIX=/usr/local DESTDIR= scripts/install' \"$shown\""
        return try await copyOfThisMachine(
            "copy", server: server, showing: Machine.packageRoot, accounts: ["alice", "bob"], isBare ? "" : installing)
    }
}
