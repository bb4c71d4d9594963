import ArgumentParser
import Display
import JOSE
import Login
import Vocabulary

struct ProvidersListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Whom you can log in with, who is the default, and where that is written.")

    @Flag(help: "For scripts.")
    var json = false

    @OptionGroup var config: ClientConfigOptions

    func run() throws {
        try reportingErrors { () throws(LoginError) in
            let list = ProviderList(try config.read())
            if json {
                try Terminal.print(list.json.pretty())
            } else {
                for line in list.lines(columns: TerminalScreen.columnsOfOutput) { try Terminal.print(line) }
            }
            return true
        }
    }
}
