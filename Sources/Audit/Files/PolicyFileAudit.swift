import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Auditor {
    /// What the verifier itself says about a file, as a finding.
    mutating func add(_ unsafe: UnsafeFile, in file: String) {
        let folder = foldersAbove(file).first ?? "."
        let (name, place) = (shellWord(file), shellWord(folder))
        let code: FindingCode
        var remedy: String?
        switch unsafe.fault {
        case .symbolicLink: (code, remedy) = (.fileLink, "cp --remove-destination \"$(readlink -f \(name))\" \(name); opk permissions fix")
        case .notARegularFile: code = .fileKind
        case .owner: (code, remedy) = (.fileOwner, "chown root \(name)")
        case .writableByOthers: (code, remedy) = (.fileMode, "chmod go-w \(name)")
        case .notAFolder, .notTheAccounts, .openToOthers: code = .fileKind
        case .hardLinks: (code, remedy) = (.fileHardLinks, "cp -p \(name) \(name).new; mv \(name).new \(name)")
        case .tooLarge: code = .fileSize
        case .containsNUL: code = .fileNUL
        case .folderOwner: (code, remedy) = (.folderOwner, "chown root \(place)")
        case .folderWritableByOthers: (code, remedy) = (.folderMode, "chmod go-w \(place)")
        case .noFileName: code = .fileKind
        case .unreadable(let number):
            (code, remedy) = number == EACCES || number == EPERM ? (.notLookedAt, "sudo opk audit") : (.fileKind, nil)
        }
        let sentence = code == .notLookedAt ? "this file is not for you to read" : "\(unsafe)"
        found.add(code, file, Auditor.withoutHint(sentence) + consequence(of: code, file), remedy: remedy)
    }

    /// The command stands in the remedy.
    private static func withoutHint(_ sentence: String) -> String {
        var text = sentence
        for hint in [" (chown root)", "; chmod go-w"] {
            if let range = text.firstRange(of: hint) { text.removeSubrange(range) }
        }
        return text
    }

    private func consequence(of code: FindingCode, _ file: String) -> String {
        switch file {
        case _ where code == .notLookedAt: ""
        case places.providers: ": no provider is trusted"
        case places.authID: ": none of its rows admits"
        case places.config, places.revoked: ": nobody is admitted"
        default: ""
        }
    }

    /// Names in the folder of the policy that are nearly those of its files: somebody wrote rules there, and nobody reads them.
    mutating func auditNames() {
        let known = ["providers", "auth_id", "config.yml", "revoked", "policy.d"]
        let near = ["providers", "provider", "auth_id", "authid", "auth-id", "config", "revoked", "revoke", "policy"]
        for name in (try? Folder.names(in: places.configFolder, atMost: 1000)) ?? [] where !known.contains(name) {
            let stem = name.lowercased().prefix { $0 != "." }
            // A package's manager and editors keep copies beside: those have a name behind it.
            let ending = name.lowercased().dropFirst(stem.count)
            guard near.contains(String(stem)), ["", ".yml", ".yaml", ".txt", ".conf", ".d"].contains(String(ending)) else { continue }
            found.add(.fileUnread, places.configFolder + "/" + name, "nobody reads a file of this name")
        }
        for name in (try? Folder.names(in: places.pluginFolder, atMost: 1000)) ?? []
        where name.lowercased().hasSuffix(".yaml") || name.hasSuffix(".YML") {
            found.add(.fileUnread, places.pluginFolder + "/" + name, "plugins are read from files that end in .yml")
        }
    }

    /// Who may read it, and what could replace it further up; for a file that the verifier believes.
    mutating func lookAround(_ file: String) {
        guard let facts = FileFacts(file) else { return }
        if places.looksAtMachine, let verifier = verifierAccount {
            if facts.rights(of: verifier) & 4 == 0 {
                found.add(
                    .fileUnreadable, file,
                    "\(Text(verifier.name)), as whom sshd runs opk-verify, may not read it (owner \(Text(Group.owner(facts.owner))), "
                        + "group \(Text(Group.name(of: facts.group))), mode \(facts.octal))",
                    remedy:
                        "chgrp \(shellWord(places.verifierGroup ?? places.verifierUser)) \(shellWord(file)); chmod g+r \(shellWord(file))")
            } else if let closed = foldersAbove(file).first(where: { (FileFacts($0, following: true)?.rights(of: verifier) ?? 7) & 1 == 0 })
            {
                found.add(
                    .fileUnreadable, file, "\(Text(verifier.name)), as whom sshd runs opk-verify, may not go into \(Text(closed))",
                    remedy: "chmod o+x \(shellWord(closed))")
            }
        }
        if places.looksAtMachine, [places.providers, places.config].contains(file), let fetcher = Account.named(places.fetcherUser),
            facts.rights(of: fetcher) & 4 == 0
        {
            found.add(
                .fileUnreadable, file, "\(Text(fetcher.name)), who fetches the providers' keys, may not read it: no keys are fetched",
                remedy: "usermod -aG \(shellWord(places.verifierGroup ?? places.verifierUser)) \(shellWord(fetcher.name))")
        }
        if facts.mode & 4 != 0 && places.isSystems {
            found.add(
                .fileExposed, file, "everybody on this machine may read who may log in (mode \(facts.octal))",
                remedy: "chmod o-r \(shellWord(file))")
        }
    }

    /// Folders above the configuration's own: whoever may write one of them can put another in its place.
    mutating func lookAbove(_ folder: String) {
        guard places.isSystems else { return }
        for above in foldersAbove(folder) {
            guard let facts = FileFacts(above, following: true), facts.owner != 0 || facts.mode & 0o022 != 0 && facts.mode & 0o1000 == 0
            else { continue }
            found.add(
                .folderAbove, above,
                "others than root can put another folder in the place of what is below (owner \(Text(Group.owner(facts.owner))), mode \(facts.octal))",
                remedy: "chown root \(shellWord(above)); chmod go-w \(shellWord(above))")
        }
    }
}
