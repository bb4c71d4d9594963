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
              opk status, logout    who you are until when; end it
              opk agent-refresh     keep logins of `opk login --refresh` alive
              opk inspect FILE      what your certificate says
              opk add, remove, list, prune, edit, revoke, restore
                                    on a server: who may log in as whom, and who is out
              opk keys              on a server: the providers' keys, and how old they are
              opk audit             on a server: everything that is wrong, risky or dead
              opk explain           on a server: why somebody is admitted or refused
              opk test FILE         policy files against what is expected of them

            Providers: google, azure (microsoft), gitlab, hello, and any other with --provider.
            """,
        version: "opk \(Version.text)",
        subcommands: [
            LoginCommand.self, StatusCommand.self, LogoutCommand.self, AgentRefreshCommand.self, InspectCommand.self, KeysCommand.self,
            AddCommand.self, RemoveCommand.self, ListCommand.self,
            PruneCommand.self,
            EditCommand.self, RevokeCommand.self, RestoreCommand.self, ExplainCommand.self, TestCommand.self, AuditCommand.self,
            PermissionsCommand.self,
        ])

    /// With the arguments as the kernel gave them.
    static func main() {
        // A name that is not UTF-8 would become another.
        if let word = ProcessArguments.words.first(where: { Text(validating: $0) == nil }) {
            exit(withError: ValidationError("an argument is not UTF-8: \(escaped(word, limit: 80))"))
        }
        main(ProcessArguments.texts)
    }
}
