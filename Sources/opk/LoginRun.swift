import CIToken
import Display
import Identities
import JOSE
import Login
import PKToken
import SSHConfiguration
import Vocabulary

/// One login with everything that was decided about it: how it goes, what becomes of its key, and what is said.
struct LoginRun {
    let name: IdentityName
    let options: LoginOptions
    /// Of a CI system, if it is one's.
    let job: CIJob?
    /// Nil where the key is only printed.
    let keeping: KeyKeeping?
    let refresh: LoginRefreshOptions
    let qrCode: TerminalQRCode.Wish
    let output: OutputOptions
    /// Where the person pastes, if the way was not named and the browser seems to be on another machine.
    let terminalElsewhere: Int32?

    struct Outcome {
        let result: LoginResult
        /// Nil where the key was only printed.
        let kept: KeyKeeping.Kept?
    }

    /// - Parameter waiting: the browser in which the provider was chosen.
    func logIn(in waiting: WaitingBrowser? = nil) throws(LoginError) -> Outcome {
        let early = try keeping?.check(options.keyKind) ?? []
        warn(early)
        var kept: KeyKeeping.Kept?
        let keep = { (result: LoginResult) throws(LoginError) in
            guard let keeping else { return }
            kept = try refresh.replacing(name, home: try KeyPlace.home()) { () throws(LoginError) in
                try keeping.keep(result, of: options.provider)
            }
        }
        let result: LoginResult
        if let job {
            result = try CILogin(options, of: job, http: output.client()).run(keep: keep)
        } else {
            if terminalElsewhere != nil {
                output.note("There seems to be no browser on this machine, so this is `opk login --remote`; --device is another way.")
            }
            let notices = TerminalNotices(qrCode: qrCode, output: output)
            let flow = LoginFlow(
                options, http: output.client(), browser: Browser(), waiting: waiting, input: terminalElsewhere ?? 0, tell: notices.tell)
            result = try flow.run(keep: keep)
        }
        warn((kept?.warnings ?? []).filter { !early.contains($0) })
        return Outcome(result: result, kept: kept)
    }

    /// With `--auto-refresh` until it cannot be kept alive any longer, or Ctrl-C.
    func keepAlive(_ outcome: Outcome) throws(LoginError) {
        guard keeping != nil else { return }
        try refresh.finish(
            outcome.result, as: name, of: options.provider, home: try KeyPlace.home(), needsAgent: outcome.kept?.store.usesAgent ?? false,
            output)
    }

    private func warn(_ sentences: [String]) {
        for sentence in sentences { Terminal.note("opk: \(Style.onErrors.warning("warning:")) \(sentence)") }
    }

    func summary(_ outcome: Outcome) -> [String] {
        let home = try? KeyPlace.home()
        // What `opk setup ssh --hosts` said counts before the configuration.
        let given = home.flatMap { SSHSetup.given(home: $0).first { $0.name == name } }.map { $0.patterns.map(\.text) }
        let isUsualPlace = home.map { keeping?.place.isTriedBySSH(home: $0) ?? false } ?? false
        return Summary(
            outcome.result, place: keeping?.place, isUsualPlace: isUsualPlace, store: outcome.kept?.store ?? .file,
            hosts: home.map(KeyPlace.isSetUp) == true ? given ?? options.provider.hosts : [],
            isKeptAlive: keeping != nil && refresh.isWanted && outcome.result.refreshToken != nil, login: again
        ).lines(now: .now())
    }

    private var again: String {
        let provider = options.provider
        return "opk login "
            + (provider.aliases.first.map { Text($0).escaped(limit: 64) }
                ?? "--provider \(provider.issuer.escaped(limit: 200)),\(provider.clientID.escaped(limit: 200))")
    }

    /// `null` for what is not there.
    func json(_ outcome: Outcome) -> JSON {
        let identity = outcome.result.identity
        var object = JSONObject()
        object["name"] = .string(Text(name.text))
        object["issuer"] = .string(identity.issuer)
        object["subject"] = .string(identity.subject)
        object["email"] = identity.email.map { .string($0) } ?? .null
        object["ends"] = outcome.result.ends.map { .number(JSONNumber($0.seconds)) } ?? .null
        object["store"] = outcome.kept.map { .string(Text($0.store.rawValue)) } ?? .null
        object["key_file"] = keeping.flatMap { $0.store.usesFile ? .string(Text($0.place.privateKey)) : nil } ?? .null
        object["certificate_file"] = keeping.map { .string(Text($0.place.certificate)) } ?? .null
        return .object(object)
    }
}
