import ChildProcess
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Auditor {
    static let helpers = ["opk-verify", "opk-fetch", "opk-home"]

    /// The programs beside each other: there, of this version, and nobody's but root's.
    mutating func auditPrograms() {
        if verifierAccount == nil && Account.named(places.verifierUser) == nil {
            found.add(
                .userAbsent, "", "there is no account \(places.verifierUser), as whom sshd runs opk-verify", remedy: places.reinstall)
        }
        var isRoots = true
        for folder in [places.helperFolder] + foldersAbove(places.helperFolder) {
            guard let facts = FileFacts(folder, following: true), facts.owner != 0 || facts.mode & 0o022 != 0 else { continue }
            isRoots = false
            found.add(
                .programMode, folder,
                "others than root can put other programs there (owner \(Text(Group.owner(facts.owner))), mode \(facts.octal))",
                remedy: "chown root \(shellWord(folder)); chmod go-w \(shellWord(folder))")
        }
        for name in Auditor.helpers {
            let path = places.helperFolder + "/" + name
            switch FileFacts.look(path) {
            case .absent:
                // Without it, home files count for nothing, and that is a choice.
                if name == "opk-home" && !policy.readsHomeFiles { continue }
                found.add(.programAbsent, path, "\(name) is not there", remedy: places.reinstall)
            case .hidden:
                found.add(.notLookedAt, path, "this is not for you to look at", remedy: "sudo opk audit")
            case .found(let facts):
                audit(program: path, facts, runsIt: isRoots)
            }
        }
        auditSessionProgram()
    }

    /// The set-group-ID bit has the loader pass over what the user put into PAM's environment; nobody else is to start it.
    private mutating func auditSessionProgram() {
        let path = places.helperFolder + "/opk-session"
        guard let facts = FileFacts(path), let group = verifierAccount?.group else { return }
        if facts.kind == .file, facts.owner == 0, facts.group == group, facts.mode == 0o2750 { return }
        found.add(
            .programMode, path,
            "it belongs to \(Text(Group.owner(facts.owner))):\(Text(Group.name(of: facts.group))) with mode \(facts.octal), and must be "
                + "root:\(Text(Group.name(of: group)))'s with 2750",
            remedy: facts.kind == .file ? "opk permissions fix" : places.reinstall)
    }

    /// opk itself: an administrator runs it as root.
    mutating func auditCommand() {
        let path = places.prefix + "/bin/opk"
        guard let facts = FileFacts(path) else { return }
        audit(program: path, facts, runsIt: false)
        // Those further up are the helpers' as well.
        for folder in foldersAbove(path).prefix(1) {
            guard let facts = FileFacts(folder, following: true), facts.owner != 0 || facts.mode & 0o022 != 0 else { continue }
            found.add(
                .programMode, folder,
                "others than root can put another opk there (owner \(Text(Group.owner(facts.owner))), mode \(facts.octal))",
                remedy: "chown root \(shellWord(folder)); chmod go-w \(shellWord(folder))")
        }
    }

    /// - Parameter runsIt: it is asked for its version: root runs nothing that others could have put there.
    private mutating func audit(program path: String, _ facts: FileFacts, runsIt: Bool) {
        if facts.kind != .file {
            found.add(.programMode, path, "this is no plain file", remedy: places.reinstall)
            return
        }
        if facts.owner != 0 || facts.mode & 0o022 != 0 || facts.mode & 0o111 != 0o111 || facts.mode & 0o7000 != 0 {
            found.add(
                .programMode, path,
                "it belongs to \(Text(Group.owner(facts.owner))) with mode \(facts.octal), and must be root's with 0755",
                remedy: "opk permissions fix")
            return
        }
        guard runsIt else { return }
        let said = try? Auditor.run(path, ["--version"])
        let version = (said?.output.firstLine ?? "").split(separator: " ").last.map(String.init) ?? ""
        if said?.succeeded != true || version != Version.text {
            found.add(
                .programVersion, path,
                "it says that it is \(version.isEmpty ? "nothing" : Text(version).escaped(limit: 40)), and this opk is \(Version.text)",
                remedy: places.reinstall)
        }
    }

    /// How opk-verify reaches who fetches keys and reads home files.
    mutating func auditWays() {
        let hasSystemd = FileFacts(places.systemd) != nil
        let hasSocket = FileFacts(places.fetchSocket)?.kind == .socket
        let hasRule = auditSudoers()
        if (hasSystemd || hasRule) && Account.named(places.fetcherUser) == nil {
            found.add(.userAbsent, "", "there is no account \(places.fetcherUser), who fetches keys", remedy: places.reinstall)
        }
        if hasSystemd {
            for unit in ["opk-fetch.socket", "opk-keys.timer"] {
                guard let said = try? Auditor.run("/usr/bin/systemctl", ["is-active", "--quiet", unit]), !said.succeeded else { continue }
                found.add(.fetchWay, "", "\(unit) is not active", remedy: "systemctl enable --now \(unit)")
            }
        } else if !hasSocket && !hasRule && Account.named(places.fetcherUser) != nil {
            found.add(
                .fetchWay, "",
                "opk-verify has no way to ask \(places.fetcherUser) for keys: neither \(Text(places.fetchSocket)) nor \(Text(places.sudoers)) is "
                    + "here, so only `opk keys refresh` renews them",
                remedy: places.reinstall)
        }
        if policy.readsHomeFiles && !hasRule && FileFacts(places.helperFolder + "/opk-home") != nil {
            found.add(
                .homeWay, places.sudoers, "opk-verify cannot ask opk-home for home files without its rule of sudoers: they admit nobody",
                remedy: "\(places.reinstall), or write home_policy: false in \(places.config)")
        }
    }

    /// `@includedir FOLDER`, or `#includedir FOLDER` as it was written before sudo 1.9.1 (sudoers(5)).
    private static func includes(_ main: [UInt8], _ folder: String) -> Bool {
        String(decoding: main, as: UTF8.self).split(whereSeparator: \.isNewline).contains { line in
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            return words.count >= 2 && (words[0] == "@includedir" || words[0] == "#includedir") && words[1] == folder
        }
    }

    /// Whether opk-verify may start its helpers by sudo.
    private mutating func auditSudoers() -> Bool {
        let facts: FileFacts
        switch FileFacts.look(places.sudoers) {
        case .absent: return false
        case .hidden:
            found.add(.notLookedAt, places.sudoers, "this is not for you to look at", remedy: "sudo opk audit")
            return true
        case .found(let found): facts = found
        }
        if facts.owner != 0 || facts.mode & 0o022 != 0 {
            found.add(
                .sudoersMode, places.sudoers,
                "it belongs to \(Text(Group.owner(facts.owner))) with mode \(facts.octal), so sudo passes it over",
                remedy: "opk permissions fix")
            return false
        }
        if FileFacts(places.visudo, following: true) != nil, let said = try? Auditor.run(places.visudo, ["-c", "-f", places.sudoers]),
            !said.succeeded
        {
            // On a machine where sudo stops at such a file, nobody can use it to mend this.
            guard geteuid() == 0 else {
                found.add(.notLookedAt, places.sudoers, "this is not for you to look at", remedy: "sudo opk audit")
                return true
            }
            found.add(
                .sudoersBad, places.sudoers,
                "sudo cannot read it: \(Text((said.output + said.errorOutput).firstLine).escapedOnce(limit: 200))", remedy: places.reinstall
            )
            return false
        }
        if let main = plainFile(places.mainSudoers, limit: 1 << 20), !Auditor.includes(main, foldersAbove(places.sudoers).first ?? "/") {
            found.add(
                .sudoersBad, places.sudoers,
                "sudo does not read it: \(Text(places.mainSudoers)) has no @includedir for its folder",
                remedy: "visudo, and there: @includedir \(foldersAbove(places.sudoers).first ?? "/")")
            return false
        }
        let ours = places.prefix + "/share/opk/sudoers"
        if let installed = plainFile(ours, limit: 1 << 20), let here = plainFile(places.sudoers, limit: 1 << 20), installed != here {
            found.add(
                .sudoersRule, places.sudoers,
                "it is not the rule that was installed (\(Text(ours))), which must fit opk-verify's call to the letter",
                remedy: "install -m 0440 \(shellWord(ours)) \(shellWord(places.sudoers))")
        }
        return true
    }
}
