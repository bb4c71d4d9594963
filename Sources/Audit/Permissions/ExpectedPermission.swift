/// Whose a file must be and what may be done with it, as scripts/install makes it (docs/architecture.md, State).
public struct ExpectedPermission: Hashable, Sendable {
    public let path: String
    public let isFolder: Bool
    /// Names of an account and a group; nil: whichever it is.
    public let owner: String
    public let group: String?
    /// The permission bits that the installation gives. Fewer will do, as long as the owner has `needed` and the reader can read.
    public let mode: UInt32
    let needed: UInt32
    /// Bits of more than `mode` that do no harm.
    let tolerated: UInt32
    /// Somebody else who must be able to read it, and to go into it where it is a folder.
    let reader: Account?
    /// Whether something is wrong where it is not there.
    public let isRequired: Bool

    init(
        _ path: String, isFolder: Bool = false, owner: String = "root", group: String? = "root", mode: UInt32, needed: UInt32? = nil,
        tolerated: UInt32 = 0, reader: Account? = nil, isRequired: Bool = false
    ) {
        (self.path, self.isFolder, self.owner, self.group, self.mode) = (path, isFolder, owner, group, mode)
        (self.needed, self.tolerated, self.reader, self.isRequired) = (needed ?? mode & 0o700, tolerated, reader, isRequired)
    }

    /// What is wrong with a file; nil where nothing is.
    func fault(of facts: FileFacts) -> String? {
        if facts.kind == .link { return "it is a symbolic link" }
        if facts.kind != (isFolder ? .folder : .file) { return isFolder ? "it is no folder" : "it is no plain file" }
        if !isFolder && facts.links > 1 { return "it has \(facts.links) names (hard links)" }
        var faults: [String] = []
        if facts.owner != ownerID { faults.append("expected owner \(owner), got \(Group.owner(facts.owner))") }
        // The group matters where it is given something that others are not.
        let isFavoured = facts.mode >> 3 & 7 & ~facts.mode & 7 != 0
        if let group, isFavoured, mode >> 3 & 7 != mode & 7, facts.group != groupID {
            faults.append("expected group \(group), got \(Group.name(of: facts.group))")
        }
        if facts.mode & ~(mode | tolerated) != 0 || needed & ~facts.mode != 0 {
            faults.append("expected mode \(octalText(mode)), got \(facts.octal)")
        } else if let reader, facts.rights(of: reader) & (isFolder ? 5 : 4) != (isFolder ? 5 : 4), faults.isEmpty {
            faults.append("\(reader.name) may not read it (group \(Group.name(of: facts.group)), mode \(facts.octal))")
        }
        return faults.isEmpty ? nil : faults.joined(separator: "; ")
    }

    /// Nil where there is no such account.
    var ownerID: UInt32? { owner == "root" ? 0 : Account.named(owner)?.user }
    var groupID: UInt32? { group.flatMap { $0 == "root" ? 0 : Group.id(of: $0) } }
}
