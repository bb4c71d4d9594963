import JOSE
import PKToken
public import Policy
public import SSHKeys
public import Verifier
public import Vocabulary

/// Asks the verifier about a login and takes its answer apart.
public struct Examination {
    private let folder: PolicyFolder
    private let outside: Outside
    private let now: UnixTime
    private let address: NetworkAddress?

    public init(_ folder: PolicyFolder, _ outside: Outside, at now: UnixTime, from address: NetworkAddress?) {
        (self.folder, self.outside, self.now, self.address) = (folder, outside, now, address)
    }

    /// Of a certificate, as sshd would ask.
    public func explain(_ request: LoginRequest) -> Explanation {
        let sources = ExplainingSources(folder, outside, at: now, from: address)
        var verification = Verification(sources, at: now)
        let outcome = verification.decide(request)
        if case .notOurs = outcome {
            return explanation(request.account, .certificate, [], nil, .notOurs, [], [], nil)
        }
        let walk = Walk(request, sources)
        var finding: PolicyFinding?
        var failures = walk.failures
        if let person = walk.person, let account = walk.account {
            if let deliberation = verification.deliberation {
                finding = self.finding(deliberation, person, account, sources, isSupposed: false)
            } else {
                let supposing = ExplainingSources(folder, outside, at: now, from: address)
                do throws(Refusal) {
                    let deliberation = try deliberate(about: person, as: account, supposing)
                    finding = self.finding(deliberation, person, account, supposing, isSupposed: true)
                } catch {
                    if !failures.contains(error) { failures.append(error) }
                }
            }
        }
        switch outcome {
        case .notOurs, .admitted:
            let lines = if case .admitted(let lines) = outcome { lines.map(Examination.abbreviated) } else { [String]() }
            return explanation(request.account, .certificate, walk.all, finding, .admitted, [], lines, nil)
        case .refused(let refusal):
            // Files are read once more for the walk: what the verifier itself met comes first.
            if !failures.contains(refusal), finding?.isSupposed != false { failures.insert(refusal, at: 0) }
            // Where something else is wrong, keys that opk-verify did not even ask for are not what is to be mended.
            let mended = failures.filter { $0 == failures.first || $0.step != .providerSignature }
            var changes = mended.flatMap { Remedy.changes(for: $0, walk.person, request.account, now, outside) }
            if let finding, let account = walk.account { changes += nearest(finding, account) }
            let fault = walk.configurationFault ?? (refusal.code.isConfiguration ? refusal : nil)
            return explanation(
                request.account, .certificate, walk.all, finding, .refused(refusal), Examination.once(changes), [], fault.map { "\($0)" },
                lacksFetch: sources.lacksFetch)
        }
    }

    /// Of somebody who is only supposed.
    public func explain(supposing person: Supposition, as account: Principal) -> Explanation {
        let sources = ExplainingSources(folder, outside, at: now, from: address)
        let name = account.text.utf8
        let deliberation: Deliberation
        do throws(Refusal) {
            deliberation = try deliberate(about: person, as: account, sources)
        } catch {
            let changes = Remedy.changes(for: error, person, name, now, outside)
            return explanation(name, .supposition, [], nil, .refused(error), changes, [], "\(error)")
        }
        let finding = finding(deliberation, person, account, sources, isSupposed: true)
        switch deliberation.verdict {
        case .admitted(let grants):
            let lines = grants.map { AuthorizedKeysLine.supposedOptions(of: $0) + " …" }
            return explanation(name, .supposition, [], finding, .admitted, [], Examination.once(lines), nil)
        case .refused(let refusal):
            return explanation(name, .supposition, [], finding, .refused(refusal), Examination.once(nearest(finding, account)), [], nil)
        case .needs: return explanation(name, .supposition, [], finding, .refused(Refusal(.noRowAdmits)), [], [], nil)
        }
    }

    private func explanation(
        _ account: [UInt8], _ subject: Explanation.Subject, _ steps: [Explanation.Step], _ policy: PolicyFinding?,
        _ verdict: Explanation.Verdict, _ changes: [Change], _ lines: [String], _ fault: String?, lacksFetch: Bool = false
    ) -> Explanation {
        Explanation(
            account: account, time: now, address: address, subject: subject, steps: steps, policy: policy, verdict: verdict,
            changes: changes, lines: lines, lacksFetch: lacksFetch, configurationFault: fault)
    }

    /// As `Verification` goes on until policy needs nothing more, without userinfo.
    private func deliberate(about person: Supposition, as account: Principal, _ sources: ExplainingSources) throws(Refusal) -> Deliberation
    {
        let config = try sources.serverConfig()
        var evidence = Evidence(revocations: try sources.revocations(about: person.revocationSubject), clientAddress: address)
        let authID = try sources.authID(for: account, of: person.row.issuer)
        while true {
            let deliberation = authorize(
                supposing: person, as: account, at: now, authID: authID, config: config, evidence: evidence)
            guard case .needs(let kind) = deliberation.verdict else { return deliberation }
            switch kind {
            case .userID: evidence.userID = sources.userID(of: account)
            case .home: evidence.home = config.homePolicy ? sources.home(of: account) : .off
            case .userinfo: evidence.userinfo = .unavailable
            case .plugins: evidence.plugins = sources.supposedPlugins()
            }
        }
    }

    private func finding(
        _ deliberation: Deliberation, _ person: Supposition, _ account: Principal, _ sources: ExplainingSources, isSupposed: Bool
    ) -> PolicyFinding {
        let home: PolicyFinding.HomeState =
            switch sources.home {
            case nil: sources.config?.homePolicy == false ? .off : .notAsked
            case .absent?: .absent
            case .unusable(let why)?: .unusable(why)
            case .unread(let why)?: .unread(why)
            case .content?: .read
            }
        let names = outside.pluginNames
        let plugins: PolicyFinding.PluginState =
            names.isEmpty
            ? .none : !sources.pluginsWereAsked ? .notAsked(names) : outside.runPlugins == nil || isSupposed ? .notRun(names) : .ran(names)
        let revoked = try? folder.revocations(about: person.revocationSubject)
        return PolicyFinding(
            deliberation: deliberation, isSupposed: isSupposed, person: person,
            otherRows: folder.otherRows(for: account, than: person.row.issuer), problems: sources.authID?.problems ?? [], home: home,
            homeProblems: sources.homeProblems, plugins: plugins, pluginNotes: sources.pluginNotes,
            lacksUserinfo: sources.userinfoWasWanted && outside.askUserinfo == nil,
            revocations: revoked?.rows.filter { row in row.before.map { person.issuedAt < $0 } != false } ?? [])
    }

    private func nearest(_ finding: PolicyFinding, _ account: Principal) -> [Change] {
        guard case .refused = finding.deliberation.verdict else { return [] }
        return NearestChange(finding, account, (try? folder.config()) ?? ServerConfig(), now, address, outside.alias).changes
    }

    /// The key is longer than a screen is wide.
    private static func abbreviated(_ line: AuthorizedKeysLine) -> String {
        let words = line.description
        guard let blank = words.lastIndex(of: " ") else { return words }
        let key = words[words.index(after: blank)...]
        return key.utf8.count <= 32 ? words : words[...blank] + String(key.prefix(24)) + "…"
    }

    /// Each once, in order.
    private static func once<Value: Hashable>(_ values: [Value]) -> [Value] {
        var seen: Set<Value> = []
        return values.filter { seen.insert($0).inserted }
    }
}
