import Confinement
import RecentRefusals
import Vocabulary

/// What this process may still reach, and from when on.
///
/// | opk-fetch is asked | before the certificate is parsed | after its last answer |
/// |---|---|---|
/// | over a socket | nothing but reading | |
/// | as a child | what opk-fetch needs: programs and libraries, the network, writing the cache | |
/// | under sudo | (sudo refuses to run in a restricted process) | nothing but reading |
struct Enclosure {
    private let mode: FetchMode
    private let configFolder: String
    private let cacheFolder: String
    /// What is written: the count of refusals, and the last of them.
    private let refusals: [String]
    private let isOwnConfiguration: Bool

    init(_ arguments: Arguments, _ mode: FetchMode) {
        self.mode = mode
        configFolder = arguments.configFolder
        cacheFolder = arguments.cacheFolder
        isOwnConfiguration = arguments.isOwnConfiguration
        refusals = [RefusalTally.path(in: arguments.stateFolder), RecentRefusals.path(in: arguments.stateFolder)]
    }

    func beforeParsing() throws(Refusal) {
        switch mode {
        case .socket: try restrict(reading)
        case .direct: try restrict(fetching)
        case .sudo: break
        }
    }

    /// To be called when no helper will be asked any more.
    func afterLastHelper() throws(Refusal) {
        if case .sudo = mode { try restrict(reading) }
    }

    private func restrict(_ access: Access) throws(Refusal) {
        do throws(Confinement.Failure) {
            try Confinement.restrict(access)
        } catch {
            throw Refusal(.notConfined, "Landlock: \(error)")
        }
    }

    /// For a decision alone.
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

    /// For a decision, and for opk-fetch as a child.
    private var fetching: Access {
        var access = Access(mayConnect: true, mayStartProcesses: true)
        access.run = ["/usr", "/lib", "/lib64", "/bin", "/sbin", "/opt", "/nix", "/gnu"]
        if let folder = Fetcher.folder { access.run.append(folder) }
        // The resolver's and the proxy's files, and certificate authorities; `env_vars` may name some of its own.
        access.read = [configFolder, "/etc", "/run", "/srv", "/var/lib", "/proc", "/sys/devices/system/cpu", "/dev/urandom"]
        access.change = ["/dev/null"] + refusals
        access.manage = [cacheFolder]
        // In a test another clock may be loaded into both (libfaketime), which has its shared memory there.
        if isOwnConfiguration { access.manage.append("/dev/shm") }
        return access
    }
}
