import ArgumentParser
import ChildProcess
import Display
import Identities
import JOSE
import Login
import SSHConfiguration
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

struct SetupSSHCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ssh",
        abstract: "Let ssh log you in when a host needs it.",
        usage: "opk setup ssh [<options>]",
        discussion: """
            Writes ~/.ssh/opk/config and includes it in ~/.ssh/config: for the hosts of each provider (hosts: in ~/.opk/config.yml, or \
            --hosts) ssh first runs `opk login --if-needed` and offers that login alone. Nothing changes for any other host. What is to be \
            written is shown first.

            EXAMPLES
              opk setup ssh --provider google --hosts '*.example.com' '!old.example.com'
              opk setup ssh --dry-run
              opk setup ssh --undo
            """)

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("These hosts, as Host in ssh_config; kept until they are given anew.", valueName: "pattern"))
    var hosts: [String] = []

    @Option(help: ArgumentHelp("Whose login is for --hosts.", valueName: "alias"), completion: CompletedWords.aliases)
    var provider: String?

    @Flag(help: "Take it all away; ~/.ssh/config is then as it was.")
    var undo = false

    @Flag(help: "Only show what would be written.")
    var dryRun = false

    @Flag(name: [.short, .long], help: "Do not ask.")
    var yes = false

    @Flag(name: .shortAndLong, help: "Say nothing but errors, and what is asked.")
    var quiet = false

    @Flag(help: "Say at the end what was written, as JSON.")
    var json = false

    private enum Ending: String {
        case nothingToDo = "nothing-to-do"
        case tried
        case declined
        case done
    }

    func run() throws {
        try reportingErrors { () throws(SetupError) in
            let home = try home()
            let setup = try setup(home)
            let changes = setup.changes
            // What is asked about is shown, wherever standard output goes.
            let preview = changes.flatMap { Preview.lines(of: $0, home: home) }
            if isTalkative || dryRun && !json { try Terminal.say(preview) } else if !yes, !dryRun { preview.forEach(Terminal.note) }
            let ending = try perform(setup, changes)
            if json {
                try Terminal.say([document(setup, changes, ending).pretty()])
                return true
            }
            guard isTalkative else { return true }
            switch ending {
            case .nothingToDo: try Terminal.say([undo ? "There is nothing to take away." : "Everything is there already."])
            case .tried, .declined: try Terminal.say(["Nothing was written."])
            case .done: try Terminal.say(undo ? afterUndoing(home) : afterWriting(setup, home))
            }
            return true
        }
    }

    private var isTalkative: Bool { !json && !quiet }

    private func perform(_ setup: SSHSetup, _ changes: [SSHSetup.Change]) throws(SetupError) -> Ending {
        if changes.isEmpty { return .nothingToDo }
        if dryRun { return .tried }
        guard try isAgreed() else { return .declined }
        try apply(setup)
        return .done
    }

    private func document(_ setup: SSHSetup, _ changes: [SSHSetup.Change], _ ending: Ending) -> JSON {
        var object = JSONObject()
        object["result"] = .string(Text(ending.rawValue))
        object["files"] = .array(
            changes.map { change in
                var object = JSONObject()
                object["path"] = .string(Text(change.path))
                object["change"] = change.before == nil ? "new" : change.after == nil ? "gone" : "changed"
                return .object(object)
            })
        object["identities"] = .array(
            setup.identities.map { identity in
                var object = JSONObject()
                object["name"] = .string(Text(identity.name.text))
                object["hosts"] = .array(identity.patterns.map { .string($0.text) })
                return .object(object)
            })
        return .object(object)
    }

    /// ssh reads only what lies in the home folder of the user database.
    private func home() throws(SetupError) -> String {
        guard let home = try? KeyPlace.home(), KeyPlace.isHomeOfSSH else { throw .otherHome }
        return home
    }

    private func setup(_ home: String) throws(SetupError) -> SSHSetup {
        guard hosts.isEmpty == (provider == nil) else { throw .hostsAndProvider }
        if undo {
            guard hosts.isEmpty else { throw .undoAndHosts }
            return try SSHSetup.removing(home: home)
        }
        let configured = try ConfiguredHosts()
        var given: [HostIdentity] = []
        if let provider {
            guard let name = IdentityName(Text(provider)) else { throw .name(Text(provider)) }
            // Its first alias: that is what a login there is called, whichever alias was used.
            guard let called = configured.name(aliased: Text(provider)) else { throw .unknownProvider(name) }
            given = [try HostIdentity(name: called, patterns: hosts.map { Text($0) })]
        }
        guard let program = OwnProgram.path(searching: ProcessEnvironment.inherited()["PATH"]) else { throw .programPath("opk") }
        return try SSHSetup.installing(home: home, configured: configured.identities, given: given, program: program)
    }

    private func isAgreed() throws(SetupError) -> Bool {
        if yes { return true }
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else { throw .noTerminal }
        Terminal.note(undo ? "Take this away? [y/N]" : "Write this? [y/N]")
        return ["y", "yes"].contains(readLine()?.lowercased())
    }

    private func apply(_ setup: SSHSetup) throws(SetupError) {
        let folders = (ProcessEnvironment.inherited()["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        let candidates: [String] = folders.filter { $0.utf8.first == UInt8(ascii: "/") }.map { "\($0)/ssh" }
        guard let ssh = candidates.first(where: { unsafe access($0, X_OK) == 0 }) else {
            // To take it away is well without.
            guard undo else { throw .noSSH }
            return try setup.apply()
        }
        try SSHCheck(ssh).apply(setup)
    }

    /// Keys are not what `--undo` takes away.
    private func afterUndoing(_ home: String) -> [String] {
        var lines = ["Taken away. ~/.ssh/config is as it was."]
        let left = (try? Folder.names(in: home + "/.ssh/opk", atMost: 1000)) ?? []
        if !left.isEmpty {
            let names = left.sorted().map { Text($0).escaped(limit: 80) }.joined(separator: " ")
            lines.append("Keys and certificates stay in ~/.ssh/opk: \(names)")
            lines.append("They are good until they end; `opk logout` takes them away.")
        }
        return lines
    }

    private func afterWriting(_ setup: SSHSetup, _ home: String) -> [String] {
        var lines = ["Written, and ssh understands it. `opk setup ssh --undo` takes it away."]
        for identity in setup.identities {
            lines.append("  \(identity.name): \(identity.patterns.map(\.text.escaped).joined(separator: " "))")
        }
        // A login that lies elsewhere is not looked for there any more.
        let stored = IdentityFolder(below: home + "/.opk").list().identities
        for one in stored where setup.identities.contains(where: { $0.name == one.name }) && one.isGood(at: .now()) {
            let place = "\(home)/.ssh/opk/\(one.name)"
            if Text(one.keyFile) != Text(place) {
                lines.append("Your login as \(one.name) lies at \(Text(one.keyFile).escaped); the next one goes to \(Text(place).escaped).")
            }
        }
        return lines
    }
}

/// Which providers there are, and for which hosts.
private struct ConfiguredHosts {
    private let providers: [ProviderConfig]
    let identities: [HostIdentity]

    init() throws(SetupError) {
        do throws(LoginError) {
            providers = try ClientConfig.read().listed.map(\.provider)
        } catch {
            throw .configuration(error.description, hint: error.hint)
        }
        var identities: [HostIdentity] = []
        for provider in providers where !provider.hosts.isEmpty {
            guard let name = provider.name else { continue }
            identities.append(try HostIdentity(name: name, patterns: provider.hosts))
        }
        self.identities = identities
    }

    func name(aliased alias: Text) -> IdentityName? {
        providers.first { $0.aliases.contains { Text($0) == alias } }?.name
    }
}

extension SetupError: ToldError {}

extension Terminal {
    fileprivate static func say(_ lines: [String]) throws(SetupError) {
        if let number = failure(writing: Array(lines.map { $0 + "\n" }.joined().utf8)) { throw .output(errno: number) }
    }
}
