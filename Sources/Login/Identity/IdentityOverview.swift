public import ChildProcess
public import Identities
import SSHConfiguration
import SafeFiles
public import Vocabulary

/// All identities of this laptop: those that logins wrote down, and keys of opkssh or an earlier opk at ssh's usual places.
public struct IdentityOverview: Sendable {
    public let identities: [IdentityStatus]
    /// Records that cannot be read, a sentence each.
    public let problems: [String]

    /// - Parameters:
    ///   - home: the person's home folder.
    ///   - name: only this one; nil for all.
    public init(home: String, only name: IdentityName? = nil, environment: ProcessEnvironment = .inherited(), now: UnixTime = .now()) {
        let listing = IdentityFolder(below: home + "/.opk").list()
        let records = listing.identities.filter { name == nil || $0.name == name }
        // Nobody is asked in vain.
        let agent = records.contains { $0.store.usesAgent } ? IdentityStatus.AgentView(environment: environment) : nil
        let surroundings = IdentityStatus.Surroundings(home: home, agent: agent, environment: environment)
        var all = records.map { IdentityStatus(of: $0, in: surroundings, now: now) }
        if name == nil {
            let known = Set(listing.identities.map { Text($0.keyFile) })
            all += IdentityOverview.usualPlaces(home: home).filter { !known.contains(Text($0.privateKey)) }
                .compactMap { IdentityStatus(unregistered: $0, now: now) }
        }
        identities = all
        problems = listing.problems
    }

    /// What opk and opkssh write to where nobody says otherwise.
    static func usualPlaces(home: String) -> [KeyPlace] {
        KeyKind.allCases.flatMap { kind in ["id_\(kind.rawValue)", "id_\(kind.rawValue)_sk"] }.map { KeyPlace("\(home)/.ssh/\($0)") }
    }

    /// For scripts: 0 where at least one is good, 2 where none is and something is damaged, else 1.
    public var exitStatus: Int32 {
        if identities.contains(where: { $0.state == .good }) { return 0 }
        return identities.contains { $0.state == .damaged } || !problems.isEmpty ? 2 : 1
    }
}
