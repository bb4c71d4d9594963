import ArgumentParser

struct SetupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup",
        abstract: "Let ssh log you in; set a server up.",
        subcommands: [SetupSSHCommand.self, SetupServerCommand.self])
}
