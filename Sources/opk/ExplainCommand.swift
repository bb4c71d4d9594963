import ArgumentParser
import AuditTrail
import Display
import JOSE
import Login
import PKToken
import Policy
import PolicyExplanation
import SSHKeys
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say why a login is admitted or refused, and what would admit it.",
        discussion: """
            For whoever administers a server: the verifier's own decision, step by step, with every rule and row that it considered. Nothing is \
            changed, and nothing is fetched without --fetch. The exit status is 0 for an admission and 1 for a refusal.

            EXAMPLES
              sudo opk explain root alice-cert.pub
              sudo opk explain root --email alice@example.com --issuer google
              sudo opk explain deploy --sub 1234 --issuer google --groups dev,ops
              sudo opk explain --last 5
              sudo opk explain --id k7m2q9xw4a
            """)

    @Argument(
        help: ArgumentHelp(
            "An account, and a certificate: a file, - for standard input, or its text. With --last: how many.", valueName: "account"))
    var words: [String] = []

    @Option(help: ArgumentHelp("Whom to suppose, where there is no certificate.", valueName: "address"))
    var email: String?

    @Option(help: ArgumentHelp("The subject.", valueName: "subject"))
    var sub: String?

    @Option(
        help: ArgumentHelp("Whose identity: as in providers, or google, azure, microsoft, gitlab, hello.", valueName: "issuer"),
        completion: CompletedWords.issuers)
    var issuer: String?

    @Option(help: ArgumentHelp("A claim of the ID token; may be repeated.", valueName: "name=value"))
    var claim: [String] = []

    @Option(help: ArgumentHelp("The groups.", valueName: "a,b"))
    var groups: String?

    @Option(help: ArgumentHelp("When the ID token was issued; else at the time that is asked about.", valueName: "time"))
    var issued: String?

    @Option(help: ArgumentHelp("When it is: 2026-12-24T18:00Z; else now.", valueName: "time"))
    var at: String?

    @Option(help: ArgumentHelp("The client's address.", valueName: "address"))
    var from: String?

    @Flag(help: "Show the last refusals on this server (10, or as many as are asked for).")
    var last = false

    @Option(help: ArgumentHelp("Show what has this id= in the log.", valueName: "id"))
    var id: String?

    @Flag(help: "Have the provider's keys fetched, and userinfo asked, where opk-verify would.")
    var fetch = false

    @Flag(help: "Run the plugins of policy.d, as root.")
    var runPlugins = false

    @Flag(help: "For scripts.")
    var json = false

    @Option(help: ArgumentHelp("Where opk-verify keeps the last refusals.", valueName: "folder"), completion: .directory)
    var stateDir: String = "/var/lib/opk"

    @Option(help: ArgumentHelp("The audit log, where --id looks next.", valueName: "file"), completion: .file())
    var auditLog: String = AuditTrail.defaultPath

    @OptionGroup var folders: ServerFolders

    func run() throws {
        try reportingErrors { () throws(ExplainError) in
            if last || id != nil { return try history() }
            let now = try at.map(ExplainCommand.time) ?? .now()
            let folder = try folder()
            let address = try from.map { text throws(ExplainError) in
                guard let address = NetworkAddress(Text(text)) else { throw .address(Text(text)) }
                return address
            }
            guard let name = words.first else { throw .usage("an account is wanted, and a certificate or --email") }
            var outside = outside(folder)
            let explanation: Explanation
            if email == nil && sub == nil && claim.isEmpty && groups == nil && issuer == nil {
                guard words.count == 2 else { throw .usage("an account and a certificate are wanted, or an account and --email or --sub") }
                let request = try CertificateArgument.request(for: Text(name), words[1])
                if runPlugins { outside.runPlugins = try SystemOutside.plugins(folder, request) }
                explanation = Examination(folder, outside, at: now, from: address).explain(request)
            } else {
                guard words.count == 1 else { throw .usage("either a certificate or --email, --sub and their like") }
                guard let account = Principal(Text(name)) else { throw .account(Text(name)) }
                let person = try person(folder, now)
                explanation = Examination(folder, outside, at: now, from: address).explain(supposing: person, as: account)
            }
            try Terminal.explain(json ? [explanation.json.pretty()] : explanation.textLines)
            return explanation.isAdmitted
        }
    }

    private func history() throws(ExplainError) -> Bool {
        guard words.count <= 1, !(last && id != nil) else { throw .usage("--last takes at most a number") }
        var count = 10
        if let word = words.first {
            guard id == nil, let number = Int(word), number > 0 else { throw .usage("--last takes a number, and --id nothing else") }
            count = number
        }
        guard stateDir.utf8.first == UInt8(ascii: "/"), !stateDir.utf8.contains(0) else { throw .folder(Text(stateDir)) }
        if let id {
            let event = try RecordedEvent(Text(id), stateFolder: stateDir, auditLog: auditLog, at: .now())
            try Terminal.explain(json ? [event.json.pretty()] : event.lines)
            return true
        }
        let history = try RefusalHistory(folder: stateDir, at: .now())
        let shown = history.last(count)
        try Terminal.explain(json ? [history.json(shown).pretty()] : history.lines(shown))
        return true
    }

    private func person(_ folder: PolicyFolder, _ now: UnixTime) throws(ExplainError) -> Supposition {
        var person = SupposedPerson()
        person.email = email.map { Text($0) }
        person.subject = sub.map { Text($0) }
        person.issuer = issuer.map { ExplainCommand.issuer(Text($0)) }
        for word in claim { try person.add(claim: Text(word)) }
        if let groups { person.add(groups: Text(groups)) }
        person.issuedAt = try issued.map(ExplainCommand.time)
        let providers: Providers
        do { providers = try folder.providers() } catch { throw .configuration("\(error)") }
        return try person.supposition(in: providers, at: now)
    }

    private func folder() throws(ExplainError) -> PolicyFolder {
        for path in [folders.configDir, folders.cacheDir] {
            guard path.utf8.first == UInt8(ascii: "/"), !path.utf8.contains(0) else { throw .folder(Text(path)) }
        }
        return PolicyFolder(folders.configDir, cacheFolder: folders.cacheDir)
    }

    private func outside(_ folder: PolicyFolder) -> Outside {
        var outside = SystemOutside.outside(folder)
        outside.alias = { issuer in ProviderConfig.builtIn.first { $0.issuer == issuer }?.aliases.first }
        guard fetch else { return outside }
        let fetch = ExplainFetch(configFolder: folders.configDir, cacheFolder: folders.cacheDir)
        outside.fetchKeys = fetch.keys
        outside.askUserinfo = { identity, token in fetch.userinfo(of: identity.issuer, token) }
        return outside
    }

    static func time(_ text: String) throws(ExplainError) -> UnixTime {
        guard let time = UnixTime(rfc3339: Text(text)) else { throw .time(Text(text)) }
        return time
    }

    /// An alias stands for its issuer; everything else is an issuer already.
    static func issuer(_ word: Text) -> Text {
        ProviderConfig.builtIn.first { $0.aliases.contains { Text($0) == word } }?.issuer ?? word
    }
}

extension ExplainError: ToldError {}

extension Terminal {
    static func explain(_ lines: [String]) throws(ExplainError) {
        if let number = failure(writing: Array(lines.map { $0 + "\n" }.joined().utf8)) { throw .output(errno: number) }
    }
}
