import ArgumentParser
import Display
import JOSE
import KeyAdministration
import KeyCache
import SafeFiles
import Vocabulary

struct KeysImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Take keys that were exported on a machine with network.",
        discussion: """
            Whoever wrote the file is believed: these keys decide who is let in. Run as root it becomes the user who owns the cache before it \
            writes. A record that is refused does not keep the others from being taken; the exit status is 1 then.
            """)

    @Argument(help: ArgumentHelp("What opk keys export wrote; - for standard input.", valueName: "file"))
    var file: String

    @Flag(help: "Take keys of issuers too that the file providers does not name.")
    var anyIssuer = false

    @Flag(help: "Take keys that are older than those that are here, or too old to be used.")
    var force = false

    @Flag(help: "Only say what would be done.")
    var dryRun = false

    @OptionGroup var folders: ServerFolders

    func run() throws {
        try reportingErrors { () throws(KeysError) in
            let store = try folders.store()
            let bundle = try bundle()
            var audit = KeysChangeRecord("import", isSystems: folders.areSystems && !dryRun)
            defer { audit.write() }
            if !dryRun { try store.becomeOwner() }
            var options = KeyImport.Options()
            (options.anyIssuer, options.force, options.dryRun) = (anyIssuer, force, dryRun)
            let work = KeyImport(store, options, at: .now())
            var (refused, taken) = (false, false)
            for (number, record) in bundle.records.enumerated() {
                let name = record["issuer"]?.string.map { $0.escaped(limit: 200) } ?? "record \(number + 1)"
                switch work.take(record) {
                case .taken(let keys):
                    taken = true
                    audit.add(keys.issuer)
                    try Terminal.show(["\(name): \(dryRun ? "would be taken" : "taken"), \(validity(of: keys, work))"])
                case .left(let keys):
                    try Terminal.show(["\(name): left as it is: what is here is as new or newer, \(validity(of: keys, work))"])
                case .refused(let why):
                    refused = true
                    Terminal.note("opk: error: \(name): \(why)")
                }
            }
            if bundle.records.isEmpty { try Terminal.show(["There are no records in it."]) }
            if taken {
                Terminal.note(
                    "opk: hint: where nothing can be fetched, max-age=\"30d\" in an issuer's row of providers has its keys used for longer")
            }
            return !refused
        }
    }

    /// Read before root becomes somebody else, who may not be able to.
    private func bundle() throws(KeysError) -> KeyBundle {
        let bytes: [UInt8]
        do { bytes = try BoundedInput.read(file, limit: KeyBundle.maximumSize) } catch { throw .input(error) }
        do { return try KeyBundle(parsing: bytes) } catch { throw .bundle(error) }
    }

    private func validity(of keys: CachedKeys, _ work: KeyImport) -> String {
        let now = UnixTime.now()
        let end = work.usedUntil(keys)
        let fetched = "fetched \(RelativeTime.text(keys.fetchedAt, from: now))"
        if !work.isUsable(keys) { return fetched + ", too old to be used" }
        return fetched + ", used until \(end.local) (\(RelativeTime.text(end, from: now))) unless renewed before"
    }
}
