import ArgumentParser
import Display
import HTTP
import Identities
import JOSE
import Login
import Vocabulary

struct LogoutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout",
        abstract: "Take a login away: key, certificate, refresh token.",
        usage: "opk logout [<options>] [<name>]",
        discussion: """
            From the disk, from ssh-agent, and from where the refresh token is kept; the provider is told to revoke that token if it \
            can be told. What is not opk's is left alone. The exit status is 1 if something could not be done; the rest is done all \
            the same.

            EXAMPLES
              opk logout                (if there is one identity)
              opk logout work
              opk logout --all
              opk logout work --browser (ends the session in the browser as well)
            """)

    @Argument(help: ArgumentHelp("This identity.", valueName: "name"), completion: CompletedWords.identities)
    var name: String?

    @Flag(help: "All of them, and keys of opkssh at ssh's usual places.")
    var all = false

    @Flag(help: "Also open the provider's logout page in the browser.")
    var browser = false

    @OptionGroup var output: OutputOptions

    @Flag(help: "Say at the end what was done, as JSON.")
    var json = false

    /// One identity, and what became of it.
    private struct Ending {
        let identity: IdentityStatus
        let report: Logout.Report
        /// The provider's logout page, where it was asked for and is known.
        var page: String?
        var isWhole: Bool
    }

    func run() throws {
        try reportingErrors { () throws(LoginError) in
            if all, name != nil { throw .notTogether("--all", "NAME") }
            let home = try KeyPlace.home()
            let overview = IdentityOverview(home: home)
            let chosen = try choose(overview.identities)
            for problem in overview.problems { Terminal.note("opk: \(problem)") }
            if chosen.isEmpty { try say("Nobody is logged in here; nothing to do.") }
            let logout = Logout(below: home + "/.opk", http: output.client())
            var endings: [Ending] = []
            for identity in chosen { endings.append(try end(identity, logout)) }
            if json { try Terminal.print(document(endings, overview.problems).pretty()) }
            let concerned = all || chosen.isEmpty ? overview.problems : []
            return concerned.isEmpty && endings.allSatisfy(\.isWhole)
        }
    }

    private func choose(_ identities: [IdentityStatus]) throws(LoginError) -> [IdentityStatus] {
        if all { return identities }
        if let name {
            let wanted = try IdentityName.named(name, among: identities.compactMap(\.name))
            let found = identities.filter { $0.name == wanted }
            guard !found.isEmpty else { throw .noIdentity(wanted.text) }
            return found
        }
        let registered = identities.filter { $0.name != nil }
        guard registered.count <= 1 else { throw .severalIdentities(registered.compactMap { $0.name?.text }) }
        return registered.isEmpty ? identities : registered
    }

    private func end(_ identity: IdentityStatus, _ logout: Logout) throws(LoginError) -> Ending {
        let report = identity.name.map { logout.run($0) } ?? logout.run(unregistered: KeyPlace(identity.keyFile))
        let label = identity.name?.text ?? "not registered"
        for line in report.done { try say("\(label): \(line)") }
        for problem in report.problems { Terminal.note("opk: error: \(label): \(problem)") }
        if report.isGone {
            try say("Logged out: \(identity.who.escaped(limit: 200)) at \(identity.issuer.escaped(limit: 200)) (\(label)).")
        }
        var ending = Ending(identity: identity, report: report, isWhole: report.problems.isEmpty)
        if browser { endSession(&ending, logout) }
        return ending
    }

    /// For a person; not on a script's standard output.
    private func say(_ line: String) throws(LoginError) {
        if !json, !output.quiet { try Terminal.print(line) }
    }

    private func endSession(_ ending: inout Ending, _ logout: Logout) {
        guard let clientID = ending.identity.clientID else {
            ending.isWhole = false
            return
        }
        do throws(RefreshError) {
            guard let url = try logout.endOfSession(issuer: ending.identity.issuer, clientID: clientID) else {
                output.note("The provider has no logout page that it names; log out there by hand.")
                return
            }
            ending.page = url
            let opened = Browser().open(url)
            output.note(
                opened ? "The provider's logout page was opened in the browser:" : "Open this address to log out at the provider:")
            if !opened || !output.quiet { Terminal.note(url) }
        } catch {
            Terminal.note("opk: error: the provider's logout page: \(error)")
            ending.isWhole = false
        }
    }

    /// `null` for what is not there.
    private func document(_ endings: [Ending], _ problems: [String]) -> JSON {
        var object = JSONObject()
        object["identities"] = .array(
            endings.map { ending in
                var object = JSONObject()
                object["name"] = ending.identity.name.map { .string(Text($0.text)) } ?? .null
                object["who"] = .string(ending.identity.who)
                object["issuer"] = .string(ending.identity.issuer)
                object["gone"] = .bool(ending.report.isGone)
                object["done"] = .array(ending.report.done.map { .string(Text($0)) })
                object["problems"] = .array(ending.report.problems.map { .string(Text($0)) })
                object["logout_page"] = ending.page.map { .string(Text($0)) } ?? .null
                return .object(object)
            })
        object["problems"] = .array(problems.map { .string(Text($0)) })
        return .object(object)
    }
}
