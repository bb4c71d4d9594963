import PKToken
import SSHKeys
import Vocabulary

// One condition, one function: what rows and requirements share, and what is their own.

extension Login {
    /// What `amr` says must have one of these.
    func add(methods wanted: [Text], to obstacles: inout [Obstacle]) {
        let has = token.texts(in: "amr")
        if !has.contains(where: { wanted.contains($0) }) { obstacles.append(.methods(wanted: wanted, has: has)) }
    }

    func add(contextClass wanted: Text, to obstacles: inout [Obstacle]) {
        let has = token.texts(in: "acr")
        if has != [wanted] { obstacles.append(.contextClass(wanted: wanted, has: has.first)) }
    }

    /// As step 7 counts a provider's maximum age: not older than that, to the second.
    func add(maximumAge: TimeSpan, to obstacles: inout [Obstacle]) {
        if now >= issuedAt + maximumAge.seconds { obstacles.append(.tooOld(now - issuedAt, maximum: maximumAge)) }
    }

    func add(maximumAuthAge: TimeSpan, skew: Int64, to obstacles: inout [Obstacle]) {
        guard let authenticated = token.time(in: "auth_time"), authenticated <= now + skew else {
            obstacles.append(.authenticatedTooLongAgo(nil, maximum: maximumAuthAge))
            return
        }
        if now >= authenticated + maximumAuthAge.seconds {
            obstacles.append(.authenticatedTooLongAgo(now - authenticated, maximum: maximumAuthAge))
        }
    }

    func add(hours: WeeklyHours, to obstacles: inout [Obstacle]) {
        if !hours.contains(now) { obstacles.append(.closed(hours, at: now)) }
    }

    /// What a rule asks for, and for sshd what cannot be checked here.
    func finding(_ rule: Requirement, _ address: NetworkAddress?, skew: Int64) -> RequirementFinding {
        var obstacles: [Obstacle] = []
        var remaining: [AddressBlock]?
        // Asked for only where a rule speaks of groups: a token may have a hundred thousand.
        let known: KnownGroups? = rule.groups != nil || !rule.exceptGroups.isEmpty ? groups : nil
        if let wanted = rule.groups, let known, CommonName.first(of: wanted, in: known.names) == nil {
            obstacles.append(.groups(wanted: wanted, has: known.names, unknown: known.unknown))
        }
        if let amr = rule.amr { add(methods: amr, to: &obstacles) }
        if let acr = rule.acr { add(contextClass: acr, to: &obstacles) }
        if let age = rule.maximumAge { add(maximumAge: age, to: &obstacles) }
        if let age = rule.maximumAuthAge { add(maximumAuthAge: age, skew: skew, to: &obstacles) }
        if let hours = rule.hours { add(hours: hours, to: &obstacles) }
        if rule.verifiedEmail && !hasVerifiedEmail { obstacles.append(.emailNotVerified) }
        if let blocks = rule.from {
            if let address {
                if !blocks.contains(where: { $0.contains(address) }) {
                    obstacles.append(.address(address, wanted: blocks.map(\.description).joined(separator: ", ")))
                }
            } else {
                remaining = blocks
            }
        }
        let exception = known.flatMap { CommonName.first(of: rule.exceptGroups, in: $0.names) }
        return RequirementFinding(rule: rule, obstacles: obstacles, exceptedBy: exception, from: remaining)
    }

    /// What is in the way of one row by itself, whatever rules say. The account's number only where all else holds.
    mutating func obstacles(of row: AuthRow, _ evidence: Evidence, skew: Int64) -> [Obstacle] {
        var obstacles: [Obstacle] = []
        switch answer(row.identity) {
        case .yes: break
        case .no:
            obstacles.append(.identity)
            // What else it says matters only where userinfo may know another name.
            if case .notAsked = userinfo, hasAccessToken, row.identity.asksForClaims { break }
            return obstacles
        case .onlyByUnverifiedEmail: obstacles.append(.unverifiedEmail)
        }
        let options = row.options
        if let end = options.expires, now >= end { obstacles.append(.expired(at: end, ago: now - end)) }
        if let start = options.starts, now < start { obstacles.append(.notStarted(at: start, away: start - now)) }
        if let hours = options.hours { add(hours: hours, to: &obstacles) }
        for claim in options.claims { add(claim: claim, to: &obstacles) }
        if !options.amr.isEmpty { add(methods: options.amr, to: &obstacles) }
        if let acr = options.acr { add(contextClass: acr, to: &obstacles) }
        if let age = options.maximumAge { add(maximumAge: age, to: &obstacles) }
        if let age = options.maximumAuthAge { add(maximumAuthAge: age, skew: skew, to: &obstacles) }
        if let from = options.from, let address = evidence.clientAddress, from.admits(address) == false {
            obstacles.append(.address(address, wanted: from.description))
        }
        if let name = options.accountClaim { add(accountClaim: name, evidence.userID, to: &obstacles) }
        return obstacles
    }

    private mutating func add(claim: Identity, to obstacles: inout [Obstacle]) {
        guard case .claim(let name, let wanted) = claim else { return }
        switch answer(claim) {
        case .yes: break
        case .onlyByUnverifiedEmail: obstacles.append(.unverifiedEmail)
        case .no: obstacles.append(.claim(name: name, wanted: wanted, has: texts(in: name)))
        }
    }

    private func add(accountClaim name: Text, _ userID: UserIDAnswer, to obstacles: inout [Obstacle]) {
        let names = accountNames(in: name)
        guard names.contains(account.text) else {
            obstacles.append(.accountClaim(name: name, has: names.first))
            return
        }
        switch userID {
        case .known(let number) where number >= Obstacle.firstPersonsID && number != Obstacle.nobodysID: break
        case .known(let number): obstacles.append(.systemAccount(number))
        case .notAsked, .unknown: obstacles.append(.systemAccount(nil))
        }
    }
}
