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
        let folderFacts = FileFacts(places.configFolder, following: true)
        let owner = places.isSystems ? "root" : Group.owner(folderFacts?.owner ?? 0)
        let hasGroup = Group.id(of: places.verifierUser) != nil
        // Without the verifier's group there is nobody else who could read them.
        let group = places.isSystems && hasGroup ? places.verifierUser : Group.name(of: folderFacts?.group ?? 0)
        let reading: UInt32 = places.isSystems ? 0o440 : 0o400
        let own: (String, Bool) -> ExpectedPermission = { path, isRequired in
            ExpectedPermission(
                path, owner: owner, group: group, mode: 0o640, needed: reading, tolerated: places.isSystems ? 0 : 0o004, isRequired: isRequired)
        }
        // opkssh's installation makes it root:opksshuser 0750.
        var list = [
            ExpectedPermission(
                places.configFolder, isFolder: true, owner: owner, group: group, mode: 0o755, needed: places.isSystems ? 0o550 : 0o500,
                isRequired: true),
            own(places.authID, true), own(places.providers, true), own(places.config, false), own(places.revoked, false),
        ]
        if FileFacts(places.pluginFolder) != nil {
            list.append(
                ExpectedPermission(
                    places.pluginFolder, isFolder: true, owner: owner, group: group, mode: 0o755, needed: places.isSystems ? 0o550 : 0o500))
            let names = (try? Folder.names(in: places.pluginFolder, atMost: 1000)) ?? []
            list += names.filter { $0.hasSuffix(".yml") }.map { own(places.pluginFolder + "/" + $0, false) }
        }
        return list
    }

    private static func machine(_ places: AuditPlaces) -> [ExpectedPermission] {
        let hasFetcher = Account.named(places.fetcherUser) != nil
        let keeper = hasFetcher ? places.fetcherUser : places.verifierUser
        var list = [
            ExpectedPermission(places.prefix + "/bin/opk", mode: 0o755),
            ExpectedPermission(places.helperFolder, isFolder: true, mode: 0o755),
        ]
        list += Auditor.helpers.map { ExpectedPermission(places.helperFolder + "/" + $0, mode: 0o755) }
        list += [
            ExpectedPermission(places.cacheFolder, isFolder: true, owner: keeper, group: keeper, mode: 0o755, needed: 0o700),
            ExpectedPermission(places.stateFolder, isFolder: true, mode: 0o755),
            ExpectedPermission(places.stateFolder + "/refusals", owner: places.verifierUser, group: places.verifierUser, mode: 0o600),
            ExpectedPermission(places.dropIn, mode: 0o644, needed: 0o400),
            ExpectedPermission(places.sudoers, mode: 0o440, needed: 0o400, tolerated: 0o200),
            ExpectedPermission(places.cron, mode: 0o644, needed: 0o400),
        ]
        return list
    }
}
