import ArgumentParser
import Audit
import Display
import KeyCache
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Everything that is wrong, risky or dead on a server, and the command that mends it.",
        usage: "opk audit [<options>]",
        discussion: """
            Looks at the policy, home files, sshd's effective configuration, the programs and how they reach each other, owners and modes, \
            keys, clock and log. Changes nothing and asks nobody over the network.

            Exit status: 0 notes at most, 1 warnings, 2 errors, 64 wrong call.
            """)

    @Flag(name: [.short, .long], help: "For scripts.")
    var json = false

    @Flag(help: "Do not show notes.")
    var noNotes = false

    @OptionGroup var folders: InstallationFolders

    @Option(help: ArgumentHelp("Where the keys lie.", valueName: "folder"), completion: .directory)
    var cacheDir: String = KeyCache.defaultDirectory

    @Option(help: ArgumentHelp("The sshd that is asked.", valueName: "program"), completion: .file())
    var sshd: String?

    @Option(help: ArgumentHelp("What it is asked to read in the place of its own configuration.", valueName: "file"), completion: .file())
    var sshdConfig: String?

    @Option(help: ArgumentHelp("The file in the place of the policy folder's providers.", valueName: "file"), completion: .file())
    var providersFile: String?

    @Option(help: ArgumentHelp("The file in the place of the policy folder's auth_id.", valueName: "file"), completion: .file())
    var policyFile: String?

    @Flag(help: "Leave people's own files (~/.opk/auth_id) alone.")
    var skipUserPolicy = false

    func run() throws {
        for path in [sshd, sshdConfig, providersFile, policyFile, cacheDir].compactMap({ $0 }) {
            guard path.hasPrefix("/"), !path.utf8.contains(0) else {
                throw ValidationError("this is not an absolute path: \(Text(path).escaped(limit: 80))")
            }
        }
        var places = try folders.places()
        // A slip in a name must not be a clean bill.
        let named = [providersFile, policyFile, places.isSystemFolder ? nil : places.configFolder]
        for path in named.compactMap({ $0 }) where unsafe access(path, F_OK) != 0 {
            throw ValidationError("there is no \(Text(path).escaped(limit: 200))")
        }
        places.cacheFolder = cacheDir
        places.sshd = sshd ?? Installation.sshd
        places.sshdConfig = sshdConfig
        (places.providersFile, places.authIDFile) = (providersFile, policyFile)
        // In a folder of policies there are no homes.
        places.looksAtHomes = !skipUserPolicy && !folders.policyOnly
        let report = Auditor.audit(places)
        try Terminal.print(json ? [report.json.pretty()] : report.lines(withNotes: !noNotes))
        if report.exitStatus != 0 { throw ExitCode(report.exitStatus) }
    }
}
