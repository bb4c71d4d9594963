import SafeFiles
import Vocabulary

/// Everything that is installed and configured, in the order in which it is shown.
struct ExpectedPermissions {
    let list: [ExpectedPermission]

    /// In a folder of one's own, the configuration belongs to whoever owns that folder, and nothing else is looked at.
    init(_ places: AuditPlaces) {
        list = ExpectedPermissions.policy(places) + (places.looksAtMachine ? ExpectedPermissions.machine(places) : [])
    }

    private static func policy(_ places: AuditPlaces) -> [ExpectedPermission] {
        let isSystems = places.isSystems
        let owner = isSystems ? "root" : Group.owner(FileFacts(places.configFolder, following: true)?.owner ?? 0)
        let reader = isSystems ? Account.named(places.verifierUser) : nil
        let file: (String, Bool) -> ExpectedPermission = { path, isRequired in
            // Without the verifier's account there is no group that should read them.
            ExpectedPermission(
                path, owner: owner, group: isSystems ? places.verifierGroup : nil, mode: 0o640, needed: 0o400,
                tolerated: isSystems ? 0 : 0o004,
                reader: reader, isRequired: isRequired)
        }
        // opkssh's installation makes them root:opksshuser 0750, which will do.
        let folder: (String, Bool) -> ExpectedPermission = { path, isRequired in
            ExpectedPermission(
                path, isFolder: true, owner: owner, group: isSystems ? "root" : nil, mode: 0o755, needed: 0o500, reader: reader,
                isRequired: isRequired)
        }
        var list = [
            folder(places.configFolder, true), file(places.authID, true), file(places.providers, true), file(places.config, false),
            file(places.revoked, false),
        ]
        if FileFacts(places.pluginFolder) != nil {
            list.append(folder(places.pluginFolder, false))
            // Through a link it would be somebody else's folder.
            let isFolder = FileFacts(places.pluginFolder)?.kind == .folder
            let names = !isFolder ? [] : (try? Folder.names(in: places.pluginFolder, atMost: 1000)) ?? []
            list += names.filter { $0.hasSuffix(".yml") }.map { file(places.pluginFolder + "/" + $0, false) }
        }
        return list
    }

    private static func machine(_ places: AuditPlaces) -> [ExpectedPermission] {
        let verifier = Account.named(places.verifierUser)
        let hasFetcher = Account.named(places.fetcherUser) != nil
        let keeper = hasFetcher ? places.fetcherUser : places.verifierUser
        let (keeperGroup, verifierGroup) = (
            Account.named(keeper).map { Group.name(of: $0.group) } ?? keeper, places.verifierGroup ?? places.verifierUser
        )
        var list = [
            ExpectedPermission(places.prefix + "/bin/opk", mode: 0o755, reader: verifier),
            ExpectedPermission(places.helperFolder, isFolder: true, mode: 0o755, reader: verifier),
        ]
        list += Auditor.helpers.map { ExpectedPermission(places.helperFolder + "/" + $0, mode: 0o755, reader: verifier) }
        list += [
            ExpectedPermission(places.helperFolder + "/opk-session", group: verifierGroup, mode: 0o2750, needed: 0o2500),
            ExpectedPermission(places.cacheFolder, isFolder: true, owner: keeper, group: keeperGroup, mode: 0o755, reader: verifier),
            ExpectedPermission(places.stateFolder, isFolder: true, mode: 0o755, reader: verifier),
            ExpectedPermission(places.stateFolder + "/refusals", owner: places.verifierUser, group: verifierGroup, mode: 0o600),
            ExpectedPermission(places.auditFolder, isFolder: true, mode: 0o755, reader: verifier),
            ExpectedPermission(
                places.auditFolder + "/audit.jsonl", owner: places.verifierUser,
                group: Group.id(of: places.auditGroup) == nil ? "root" : places.auditGroup, mode: 0o640, needed: 0o600),
            ExpectedPermission(places.dropIn, mode: 0o644, needed: 0o400),
            ExpectedPermission(places.sudoers, mode: 0o440, needed: 0o400, tolerated: 0o200),
            ExpectedPermission(places.cron, mode: 0o644, needed: 0o400),
        ]
        return list
    }
}
