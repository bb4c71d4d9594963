import ArgumentParser
import Identities
import Login
import Vocabulary

struct LogoutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout",
        abstract: "Take a login away: key, certificate, refresh token.",
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

    func run() throws {
        try reportingErrors { () throws(LoginError) in
            if all, name != nil { throw .notTogether("--all", "NAME") }
            let home = try KeyPlace.home()
            let overview = IdentityOverview(home: home)
            let chosen = try choose(overview.identities)
            for problem in overview.problems { Terminal.note("opk: \(problem)") }
            guard !chosen.isEmpty else {
                try Terminal.print("Nobody is logged in here; nothing to do.")
                return overview.problems.isEmpty
            }
            let logout = Logout(below: home + "/.opk")
            var isWhole = !all || overview.problems.isEmpty
            for identity in chosen where try !end(identity, logout) { isWhole = false }
            return isWhole
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

    /// Whether everything could be done.
    private func end(_ identity: IdentityStatus, _ logout: Logout) throws(LoginError) -> Bool {
        let report = identity.name.map { logout.run($0) } ?? logout.run(unregistered: KeyPlace(identity.keyFile))
        let label = identity.name?.text ?? "not registered"
        for line in report.done { try Terminal.print("\(label): \(line)") }
        for problem in report.problems { Terminal.note("opk: error: \(label): \(problem)") }
        if report.isGone {
            try Terminal.print("Logged out: \(identity.who.escaped(limit: 200)) at \(identity.issuer.escaped(limit: 200)) (\(label)).")
        }
        let told = browser ? try endSession(identity, logout) : true
        return report.problems.isEmpty && told
    }

    private func endSession(_ identity: IdentityStatus, _ logout: Logout) throws(LoginError) -> Bool {
        guard let clientID = identity.clientID else { return false }
        do throws(RefreshError) {
            guard let url = try logout.endOfSession(issuer: identity.issuer, clientID: clientID) else {
                Terminal.note("The provider has no logout page that it names; log out there by hand.")
                return true
            }
            let opened = Browser().open(url)
            Terminal.note(
                opened ? "The provider's logout page was opened in the browser:" : "Open this address to log out at the provider:")
            Terminal.note(url)
            return true
        } catch {
            Terminal.note("opk: error: the provider's logout page: \(error)")
            return false
        }
    }
}
