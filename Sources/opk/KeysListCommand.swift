import ArgumentParser
import Display
import KeyAdministration
import Vocabulary

struct KeysListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "What is in the cache, how old it is and where it came from.",
        discussion: """
            One row for each issuer that the file providers names, and for each record that is there beside them. Nothing is fetched.
            """)

    @Flag(help: "For scripts.")
    var json = false

    @OptionGroup var folders: ServerFolders

    func run() throws {
        try reportingErrors { () throws(KeysError) in
            let inventory = try KeyInventory(folders.store(), at: .now())
            try Terminal.show(json ? [inventory.json.pretty()] : inventory.lines)
            return true
        }
    }
}
