import ArgumentParser
import ChildProcess
import Vocabulary

/// `opk`: what a person has on the laptop.
@main
struct Opk: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "opk",
        abstract: "Log in with your identity provider, then use ssh as ever.",
        discussion: """
            Servers on which an administrator wrote your email address (or group, or subject) in a file let you in; no keys are \
            copied anywhere.

              opk login google      log in in the browser; ssh finds the key by itself
              ssh USER@HOST         until the login ends, 24 hours later
              opk setup ssh         or let ssh log you in whenever a host needs it

            Providers: google, azure (microsoft), gitlab, hello, your own (opk providers add), any other with --provider.
            """,
        version: "opk \(Version.text)",
        groupedSubcommands: [
            CommandGroup(
                name: "Laptop",
                subcommands: [
                    LoginCommand.self, StatusCommand.self, LogoutCommand.self, SetupCommand.self, ProvidersCommand.self,
                    InspectCommand.self, AgentRefreshCommand.self,
                ]),
            CommandGroup(
                name: "Server",
                subcommands: [
                    AddCommand.self, RemoveCommand.self, ListCommand.self, PruneCommand.self, EditCommand.self, RevokeCommand.self,
                    RestoreCommand.self, ExplainCommand.self, TestCommand.self, AuditCommand.self, PermissionsCommand.self,
                    KeysCommand.self,
                ]),
        ])

    /// With the arguments as the kernel gave them.
    static func main() {
        // A name that is not UTF-8 would become another.
        if let word = ProcessArguments.words.first(where: { Text(validating: $0) == nil }) {
            end(with: ValidationError("an argument is not UTF-8: \(escaped(word, limit: 80))"))
        }
        do {
            var command = try parseAsRoot(ProcessArguments.texts)
            try command.run()
        } catch {
            end(with: error)
        }
    }

    /// As `exit(withError:)`, but what ArgumentParser has to say of a wrong call looks as every other error of ours does.
    private static func end(with error: any Error) -> Never {
        let message = fullMessage(for: error)
        guard !exitCode(for: error).isSuccess, message.hasPrefix("Error: ") else { exit(withError: error) }
        let style = Style.onErrors
        for line in message.split(separator: "\n", omittingEmptySubsequences: true) {
            if line.hasPrefix("Error: ") {
                Terminal.note("opk: \(style.error("error:")) " + line.dropFirst(7))
            } else if let command = line.split(separator: "'").dropFirst().first, line.hasPrefix("  See '") {
                Terminal.note("opk: \(style.bold("hint:")) see `\(command)`")
            } else {
                Terminal.note(String(line))
            }
        }
        exit(withError: exitCode(for: error))
    }
}
