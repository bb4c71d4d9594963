internal import CSystem

/// Where the programs of this installation are.
public enum Installation {
    /// The folder above the `bin` in which this program lies, else /usr/local.
    public static var prefix: String {
        guard let folder = unsafe opk_own_folder() else { return "/usr/local" }
        // Copied before it is asked again.
        let path = unsafe String(cString: folder)
        return path.hasSuffix("/bin/") && path.count > 5 ? String(path.dropLast(5)) : "/usr/local"
    }

    /// The first sshd in the usual places; nil where there is none.
    public static var sshd: String? {
        ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd", "/sbin/sshd"].first { FileFacts($0, following: true)?.kind == .file }
    }
}
