import ArgumentParser
import Display
import JOSE
import KeyAdministration
import KeyCache
import Vocabulary

struct KeysRefreshCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refresh",
        abstract: "Fetch the keys anew.",
        discussion: """
            Run as root it becomes the user who owns the cache before it fetches. A failure leaves what is there and does not keep the others \
            from being fetched; the exit status is 1 then.
            """)

    @Argument(help: ArgumentHelp("Whose; all that the file providers names if none is given.", valueName: "issuer"))
    var issuers: [String] = []

    @Option(help: ArgumentHelp("Leave those that are fresh and younger: 20m, 12h.", valueName: "time"))
    var ifOlderThan: String?

    @Flag(help: "Say only what goes wrong.")
    var quiet = false

    @OptionGroup var folders: ServerFolders

    func run() throws {
        try reportingErrors { () throws(KeysError) in
            let youngest = try ifOlderThan.map { text throws(KeysError) in
                guard let span = TimeSpan(Text(text)) else { throw .span(Text(text)) }
                return span
            }
            let store = try folders.store()
            let wanted = try store.issuers(issuers.map { Text($0) })
            if wanted.isEmpty {
                if !quiet { try Terminal.show(["No row of providers names an issuer: there is nothing to fetch."]) }
                return true
            }
            var record = KeysChangeRecord("refresh", isSystems: folders.areSystems)
            defer { record.write() }
            try store.becomeFetcher()
            let renewal = KeyRenewal(store, leavingYoungerThan: youngest)
            var succeeded = true
            for issuer in wanted {
                let outcome = renewal.renew(issuer)
                if case .renewed = outcome { record.add(issuer) }
                if try !tell(issuer, outcome) { succeeded = false }
            }
            return succeeded
        }
    }

    /// Whether it went well.
    private func tell(_ issuer: Text, _ outcome: KeyRenewal.Outcome) throws(KeysError) -> Bool {
        switch outcome {
        case .renewed(let keys, let warnings):
            for warning in warnings { Terminal.note("opk: warning: \(issuer): \(warning)") }
            let count = keys.jwks.keys.count
            if !quiet { try Terminal.show(["\(issuer): renewed, \(count) \(count == 1 ? "key" : "keys")"]) }
            return true
        case .left(let keys):
            let age = RelativeTime.text(keys.fetchedAt, from: .now())
            if !quiet { try Terminal.show(["\(issuer): left as it is, fetched \(age)"]) }
            return true
        case .failed(let why):
            Terminal.note("opk: error: \(issuer): \(why)")
            return false
        }
    }
}
