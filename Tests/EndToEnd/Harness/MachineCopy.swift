import Foundation

extension SSHRoot {
    /// An overlay over this machine's root, in which `make install` may do what it does and nothing of it is left afterwards. $1: where; $2: the
    /// checkout; $3: the server's folder; $4: the tests' process.
    private static let copyScript = """
        set -e
        root=$1 checkout=$2 folder=$3 tests=$4
        mount -t tmpfs -o mode=0755 copy /mnt
        mkdir /mnt/upper /mnt/work /mnt/root
        mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
        mount --rbind /mnt/root "$root"
        cd "$root"
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
        mkdir -p ".$checkout" ".$folder"
        mount --bind "$checkout" ".$checkout"
        mount --bind "$folder" ".$folder"
        chroot "$root" sh -c 'cd "$0" && PREFIX=/usr/local DESTDIR= scripts/install' "$checkout"
        for account in alice bob; do chroot "$root" useradd --create-home --home-dir "/home/$account" --shell /bin/sh --password '*' "$account"; done
        echo ready
        # /proc is still that of outside, where the tests are a process.
        while [ -d "/proc/$tests" ]; do sleep 2; done
        """

    /// With opk installed and two accounts, alice and bob, that can log in by key only.
    static func copyOfThisMachine(server: URL) async throws -> SSHRoot {
        try await start(copyScript, name: "copy", server: server, [Machine.packageRoot.path, server.path, String(getpid())])
    }
}
