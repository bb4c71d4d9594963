import ArgumentParser

struct SetupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup",
        abstract: "Set ssh up so that it logs you in by itself.",
        subcommands: [SetupSSHCommand.self])
}
