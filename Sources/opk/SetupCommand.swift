import ArgumentParser

struct SetupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup",
        abstract: "Set up ssh so that it logs you in by itself, or a server.",
        subcommands: [SetupSSHCommand.self, SetupServerCommand.self])
}
