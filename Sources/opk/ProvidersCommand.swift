import ArgumentParser

struct ProvidersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "providers",
        abstract: "List, add, remove and test providers.",
        discussion: """
            They come from OPKSSH_PROVIDERS, else from ~/.opk/config.yml, else they are built in.

            EXAMPLES
              opk providers
              opk providers add work https://idp.example.com opk --hosts '*.example.com' --default
              opk providers test work
              opk providers remove work
            """,
        subcommands: [ProvidersListCommand.self, ProvidersAddCommand.self, ProvidersRemoveCommand.self, ProvidersTestCommand.self],
        defaultSubcommand: ProvidersListCommand.self)
}
