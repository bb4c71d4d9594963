import Confinement
import RecentRefusals
import Vocabulary

/// What this process may still reach, from before the certificate is parsed: it reads policy, keys and the system's libraries, and writes the count of
/// refusals. It starts no program and connects to nothing but a socket in a folder: helpers are the `Broker`'s to start.
struct Enclosure {
    private let configFolder: String
    private let cacheFolder: String
    /// What is written: the count of refusals, and the last of them.
    private let refusals: [String]
    private let isOwnConfiguration: Bool

    init(_ arguments: Arguments) {
        configFolder = arguments.configFolder
        cacheFolder = arguments.cacheFolder
        isOwnConfiguration = arguments.isOwnConfiguration
        refusals = [RefusalTally.path(in: arguments.stateFolder), RecentRefusals.path(in: arguments.stateFolder)]
    }

    func close() throws(Refusal) {
        do throws(Confinement.Failure) {
            try Confinement.restrict(reading)
        } catch {
            throw Refusal(.notConfined, "Landlock: \(error)")
        }
    }

    /// For a decision.
    private var reading: Access {
        var access = Access()
        access.read = [
            configFolder, cacheFolder,
            // libcrypto reads its configuration, and the modules that it names (FIPS), when the first key is made; /usr also has the time zones.
            "/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/ssl", "/etc/pki", "/etc/crypto-policies", "/proc/sys/crypto",
            // For the log's time stamps.
            "/etc/localtime",
        ]
        access.change = refusals
        return access
    }

    /// For opk-fetch as a child of this user's, where there is no other user whose it could be.
    var fetching: Access {
        var access = Access(mayConnect: true, mayStartProcesses: true)
        access.run = ["/usr", "/lib", "/lib64", "/bin", "/sbin", "/opt", "/nix", "/gnu"]
        if let folder = Programs.folder { access.run.append(folder) }
        // The resolver's and the proxy's files, and certificate authorities; `env_vars` may name some of its own.
        access.read = [configFolder, "/etc", "/run", "/srv", "/var/lib", "/proc", "/sys/devices/system/cpu", "/dev/urandom"]
        access.change = ["/dev/null"]
        access.manage = [cacheFolder]
        // In a test another clock may be loaded into it (libfaketime), which has its shared memory there.
        if isOwnConfiguration { access.manage.append("/dev/shm") }
        return access
    }
}
