import ArgumentParser
import Display
import Identities
import Login
import Vocabulary

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show who you are logged in as, and until when.",
        usage: "opk status [<options>] [<name>]",
        discussion: """
            Reads the certificates and keys themselves and asks ssh-agent; never the network. The exit status is 0 if an identity is \
            good (NAME's, if given), 1 if none is, 2 if none is and something of one is damaged.

            EXAMPLES
              opk status
              opk status --short        (one line, for a prompt)
              opk status work || opk login work
              opk status --json
            """)

    @Argument(help: ArgumentHelp("Only this identity.", valueName: "name"), completion: CompletedWords.identities)
    var name: String?

    @Flag(help: "For scripts.")
    var json = false

    @Flag(help: "One line for a shell's prompt; nothing where there is nothing.")
    var short = false

    func run() throws {
        var status: Int32 = 0
        try reportingErrors { () throws(LoginError) in
            if json, short { throw .notTogether("--json", "--short") }
            let now = UnixTime.now()
            let home = try KeyPlace.home()
            let only = try name.map { text throws(LoginError) in
                try IdentityName.named(text, among: IdentityFolder(below: home + "/.opk").list().identities.map(\.name))
            }
            let overview = IdentityOverview(home: home, only: only, now: now)
            if let only, overview.identities.isEmpty, !json, !short { throw .notLoggedIn(only.text) }
            try show(overview, now)
            status = overview.exitStatus
            return true
        }
        if status != 0 { throw ExitCode(status) }
    }

    private func show(_ overview: IdentityOverview, _ now: UnixTime) throws(LoginError) {
        if json { return try Terminal.print(overview.json(now: now).pretty()) }
        if short {
            let line = overview.short(now: now)
            return line.isEmpty ? () : try Terminal.print(line)
        }
        let lines = overview.lines(now: now)
        for line in lines.isEmpty ? ["Nobody is logged in here."] : lines { try Terminal.print(line) }
        if lines.isEmpty { Terminal.note("opk: hint: run `opk login`") }
    }
}

extension IdentityName {
    /// As a person typed it: the name of a login, or any alias of the provider whose login it is.
    static func named(_ text: String, among known: [IdentityName] = []) throws(LoginError) -> IdentityName {
        guard let name = IdentityName(Text(text)) else { throw .identityName(Text(text)) }
        if known.contains(name) { return name }
        let config = try? ClientConfig.read(path: nil)
        return config?.provider(aliased: Text(text))?.name.flatMap { known.contains($0) ? $0 : nil } ?? name
    }
}
