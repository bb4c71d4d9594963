import Display
import KeyAdministration
import KeyCache
import Vocabulary

extension Auditor {
    /// The folder of keys, and each issuer's.
    mutating func auditCache() {
        guard let facts = FileFacts(places.cacheFolder) else {
            found.add(
                .cacheAbsent, places.cacheFolder, "it is not there, so every login has to ask its provider for keys",
                remedy: places.reinstall
            )
            return
        }
        if facts.kind != .folder || facts.mode & 0o022 != 0 {
            found.add(
                .cacheMode, places.cacheFolder,
                facts.kind == .folder
                    ? "others than its owner may write there (mode \(facts.octal)), so no key in it is used"
                    : "it is no folder but a link or a file",
                remedy: facts.kind == .folder ? "opk permissions fix" : nil)
        }
        guard let store = try? KeyStore(configFolder: places.configFolder, cacheFolder: places.cacheFolder),
            let inventory = try? KeyInventory(store, verifier: verifierAccount?.name ?? places.verifierUser, at: now)
        else { return }
        if inventory.fetcher.isSeparate == false || inventory.fetcher == .root {
            found.add(
                .fetchSeparate, places.cacheFolder, Auditor.withoutFullStop(inventory.fetcher.sentence(cacheFolder: places.cacheFolder)))
        }
        for entry in inventory.entries { audit(entry, inventory) }
    }

    private mutating func audit(_ entry: KeyInventory.Entry, _ inventory: KeyInventory) {
        guard case .issuer(let issuer) = entry.subject else {
            if case .file(let name) = entry.subject {
                let path = places.cacheFolder + "/" + name
                found.add(.keysStray, path, "nobody can say whose keys are in it", remedy: "rm \(shellWord(path))")
            }
            return
        }
        let refresh = "opk keys refresh \(shellWord(issuer.string))"
        let name = issuer.escaped(limit: 200)
        if !entry.isNamed {
            if entry.keys != nil {
                found.add(.keysStray, places.cacheFolder, "there are keys of \(name), which no row of providers names")
            }
            return
        }
        switch entry.state {
        case .fresh, .stale: break
        case .absent:
            found.add(
                .keysNone, places.cacheFolder, "keys of \(name) were never fetched, so the first login waits for the provider",
                remedy: refresh)
        case .tooOld:
            let age = entry.keys.map { RelativeTime.text($0.fetchedAt, from: now) } ?? "long ago"
            found.add(
                .keysOld, places.cacheFolder,
                "keys of \(name) were fetched \(age) and are not used any more: the next login needs the provider",
                remedy: refresh)
        case .fromFuture:
            found.add(
                .keysFuture, places.cacheFolder, "keys of \(name) are from the future: this machine's clock was wrong, or is now",
                remedy: refresh)
        case .unusable(let why):
            found.add(.keysUnusable, places.cacheFolder, "keys of \(name) are not used: \(why)", remedy: refresh)
        }
        if let attempt = entry.lastAttempt, !attempt.succeeded {
            found.add(
                .keysFailing, places.cacheFolder,
                "the last fetch of keys of \(name) failed \(RelativeTime.text(attempt.ended, from: now)): \(attempt.reason)",
                remedy: refresh)
        }
    }

    private static func withoutFullStop(_ sentence: String) -> String { sentence.hasSuffix(".") ? String(sentence.dropLast()) : sentence }

    /// What else a login leans on: the count of refusals, the clock, the log.
    mutating func auditState() {
        let file = places.stateFolder + "/refusals"
        let owner = verifierAccount?.user ?? 0
        switch (FileFacts.look(places.stateFolder), FileFacts.look(file)) {
        case (.found(let folder), .found(let facts)):
            if folder.kind != .folder || folder.owner != 0 || folder.mode & 0o022 != 0 {
                found.add(
                    .stateMode, places.stateFolder, "it must be root's folder, which nobody else may write (mode \(folder.octal))",
                    remedy: "opk permissions fix")
            } else if facts.kind != .file || facts.owner != owner || facts.mode & 0o077 != 0 || facts.links != 1 || facts.size != 4096 {
                found.add(
                    .stateMode, file,
                    "it must be a plain file of 4096 bytes and of \(Text(Group.owner(owner))) with mode 0600: refusals are not counted",
                    remedy: facts.kind == .file && facts.size == 4096 ? "opk permissions fix" : "rm \(shellWord(file)); \(places.reinstall)"
                )
            }
        case (.hidden, _), (_, .hidden): break
        default:
            found.add(
                .stateMode, file, "it is not there: in a flood of refusals those that are not logged are not counted",
                remedy: places.reinstall)
        }
        switch places.clock() {
        case .synchronised, .unknown: break
        case .free:
            found.add(
                .clockFree, "", "nothing keeps this machine's clock right, and identities are refused where it is wrong",
                remedy: "timedatectl set-ntp true")
        case .container: found.add(.clockContainer, "", "the clock is the host's, and nothing keeps it right that can be seen from here")
        }
        if FileFacts(places.logSocket, following: true)?.kind != .socket {
            found.add(
                .logAbsent, places.logSocket, "no log listens there, so nobody learns why somebody was refused",
                remedy: "start the system's log (journald, rsyslog)")
        }
    }
}
