import Identities
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What `opk setup ssh` changes, worked out before anything is written: our own two files in `~/.ssh/opk`, and the lines in `~/.ssh/config`
/// that include them.
public struct SSHSetup {
    /// One file, before and after; nil: it is not there.
    public struct Change: Sendable {
        public let path: String
        public let before: [UInt8]?
        public let after: [UInt8]?
    }

    /// Which identity is for which hosts, in order; empty where everything is taken away.
    public let identities: [HostIdentity]
    private let steps: [(file: ConfigFile, after: [UInt8]?)]
    /// What ssh is asked about first; nil where everything is taken away.
    private let trial: Trial?
    private let folder: String

    /// What will differ; nothing where it is all there already.
    public var changes: [Change] {
        steps.filter { $0.file.bytes != $0.after }.map { Change(path: $0.file.path, before: $0.file.bytes, after: $0.after) }
    }

    /// - Parameters:
    ///   - home: where ssh looks for `.ssh`.
    ///   - configured: what the configuration of opk says.
    ///   - given: what `--hosts` says now. What it said earlier about other names stays.
    ///   - program: opk's own path, absolute.
    public static func installing(
        home: String, configured: [HostIdentity], given: [HostIdentity], program: String
    ) throws(SetupError) -> SSHSetup {
        let folder = home + "/.ssh/opk"
        let (config, aliases, person) = try files(home)
        let earlier = OwnFiles.given(in: config.bytes ?? []).filter { old in !given.contains { $0.name == old.name } }
        let own = try OwnFiles(configured: configured, given: earlier + given, program: program)
        guard !own.identities.isEmpty else { throw .nothingToSetUp }
        if person.bytes?.starts(with: MarkedLines.byteOrderMark) == true { throw .byteOrderMark(path: person.path) }
        let text: [UInt8]
        let trial: Trial
        do throws(MarkedLines.Disorder) {
            text = try MarkedLines.adding(to: person.bytes)
            let contents = zip(OwnFiles.names, [own.config, own.aliases]).map { (name: $0, bytes: $1) }
            trial = try Trial(in: folder, person: person.bytes, own: contents)
        } catch {
            throw .marks(path: person.path, line: error.line)
        }
        if text != person.bytes { try person.checkWritable() }
        // The person's file last: what it includes is there by then.
        return SSHSetup(
            identities: own.identities, steps: [(config, own.config), (aliases, own.aliases), (person, text)], trial: trial,
            folder: folder)
    }

    public static func removing(home: String) throws(SetupError) -> SSHSetup {
        let (config, aliases, person) = try files(home)
        let text: [UInt8]?
        do throws(MarkedLines.Disorder) {
            text = try MarkedLines.removing(from: person.bytes)
        } catch {
            throw .marks(path: person.path, line: error.line)
        }
        if text != person.bytes { try person.checkWritable() }
        return SSHSetup(
            identities: [], steps: [(person, text), (aliases, nil), (config, nil)], trial: nil, folder: home + "/.ssh/opk")
    }

    /// What no login can be called, in lower case: our own files lie among the keys of `~/.ssh/opk`. While the first is there, ssh has been set
    /// up.
    public static let fileNames = OwnFiles.names

    /// What `opk setup ssh --hosts` said, as it stands in our own file; nothing where ssh has not been set up, or the file is not ours.
    public static func given(home: String) -> [HostIdentity] {
        guard let bytes = try? ConfigFile(home + "/.ssh/opk/\(OwnFiles.names[0])").bytes, OwnFiles.isOurs(bytes) else { return [] }
        return OwnFiles.given(in: bytes)
    }

    private static func files(_ home: String) throws(SetupError) -> (ConfigFile, ConfigFile, ConfigFile) {
        var own: [ConfigFile] = []
        for name in OwnFiles.names {
            let file = try ConfigFile(home + "/.ssh/opk/\(name)")
            guard file.bytes.map(OwnFiles.isOurs) ?? true else { throw .notOurs(path: file.path) }
            own.append(file)
        }
        return (own[0], own[1], try ConfigFile(home + "/.ssh/config"))
    }

    /// Lets `question` ask ssh about files that are as the person's is and as it would be, and that are gone afterwards.
    func trying(_ question: (Trial) throws(SetupError) -> Void) throws(SetupError) {
        guard let trial else { return }
        do throws(WriteFailure) {
            try Folder.create(folder, mode: 0o700)
        } catch {
            throw .writing(error)
        }
        let lock = try trial.lock()
        defer {
            Trial.remove(from: folder)
            lock.release()
            // Unless there was something in it.
            unsafe rmdir(folder)
        }
        do throws(WriteFailure) {
            try trial.write()
        } catch {
            throw .writing(error)
        }
        try question(trial)
    }

    /// Writes all that differs, or nothing: what was written when something fails is taken back. What somebody else has changed since it was
    /// read is never written over.
    public func apply() throws(SetupError) {
        // Those too that stay as they are: ssh was asked about all of them.
        for (file, _) in steps { try file.checkUnchanged() }
        if !identities.isEmpty {
            do throws(WriteFailure) {
                try Folder.create(folder, mode: 0o700)
            } catch {
                throw .writing(error)
            }
        }
        var done: [(file: ConfigFile, after: [UInt8]?)] = []
        do throws(SetupError) {
            for (file, after) in steps where file.bytes != after {
                try file.replace(with: after)
                done.append((file, after))
            }
        } catch {
            for (file, after) in done.reversed() { try? file.restore(from: after) }
            unsafe rmdir(folder)
            throw error
        }
        // Gone with the last file in it; with a key in it, it stays.
        if identities.isEmpty {
            Trial.removeAbandoned(from: folder)
            unsafe rmdir(folder)
        }
    }
}
