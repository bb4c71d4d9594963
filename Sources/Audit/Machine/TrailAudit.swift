import Vocabulary

extension Auditor {
    /// The audit log, as opk-verify would find it: it writes to no other.
    mutating func auditTrail() {
        let file = places.auditFolder + "/audit.jsonl"
        let owner = verifierAccount?.user ?? 0
        switch (FileFacts.look(places.auditFolder), FileFacts.look(file)) {
        case (.found(let folder), .found(let facts)):
            if folder.kind != .folder || folder.owner != 0 || folder.mode & 0o022 != 0 {
                found.add(
                    .auditLog, places.auditFolder,
                    "it must be root's folder, which nobody else may write: else what was recorded can be taken away (mode \(folder.octal))",
                    remedy: "opk permissions fix")
            } else if facts.kind != .file || facts.owner != owner || facts.mode & 0o027 != 0 || facts.mode & 0o600 != 0o600 {
                found.add(
                    .auditLog, file,
                    "it must be a plain file of \(Text(Group.owner(owner))) with mode 0640: nothing is recorded, or others read it",
                    remedy: facts.kind == .file ? "opk permissions fix" : "rm \(shellWord(file)); \(places.reinstall)")
            } else if facts.links != 1 {
                found.add(
                    .auditLog, file, "it has \(facts.links) names: somebody gave it another one elsewhere, and keeps what is rotated away",
                    remedy: "find / -xdev -samefile \(shellWord(file)), and sysctl fs.protected_hardlinks=1")
            }
        case (.hidden, _), (_, .hidden): break
        default: found.add(.auditLog, file, "it is not there: decisions are in the system's log alone", remedy: places.reinstall)
        }
    }
}
