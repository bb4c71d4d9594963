import Display
import Login
import Vocabulary

extension LoginCommand {
    /// Asks the person with which of several providers to log in. `opensBrowser`: on a page, else in the terminal.
    static func choose(
        among providers: [ProviderConfig], opensBrowser: Bool, patience: Int64
    ) throws(LoginError) -> ChosenProvider {
        let chooser = ProviderChooser(among: providers, browser: opensBrowser ? Browser() : nil) { notice in
            switch notice {
            case .page(let url):
                Terminal.note("A browser was opened, to choose a provider. If it does not show them, open this address:")
                Terminal.note(url)
                let aliases = providers.compactMap(\.aliases.first).joined(separator: ", ")
                Terminal.note(
                    "Waiting for \(RelativeTime.span(patience)) (Ctrl-C ends it; without a page: `opk login ALIAS`, one of \(aliases)) …")
            case .line(let line): Terminal.note(line)
            }
        }
        return try chooser.choose(patience: patience)
    }
}
