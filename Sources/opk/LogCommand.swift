import ArgumentParser

struct LogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "Who came in, who did not, and who changed what.",
        discussion: """
            Without a subcommand it shows the last 24 hours: opk log show --help has its options.

            EXAMPLES
              sudo opk log --since yesterday
              sudo opk log --since 2h --denied
              sudo opk log --follow
              sudo opk log metrics              for Prometheus
            """,
        subcommands: [LogShowCommand.self, LogNotifyCommand.self, LogMetricsCommand.self],
        defaultSubcommand: LogShowCommand.self)
}
