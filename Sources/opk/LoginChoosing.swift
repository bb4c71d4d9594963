import Display
import Login
import Vocabulary

extension LoginCommand {
    /// Asks the person with which of several providers to log in. `opensBrowser`: on a page, else in the terminal.
    static func choose(
        among providers: [ProviderConfig], opensBrowser: Bool, patience: Int64, _ output: OutputOptions
    ) throws(LoginError) -> ChosenProvider {
        let notices = TerminalNotices(qrCode: .none, output: output)
        defer { notices.endWait() }
        let chooser = ProviderChooser(among: providers, browser: opensBrowser ? Browser() : nil) { notice in
            notices.tell(notice, providers.compactMap(\.aliases.first), patience)
        }
        return try chooser.choose(patience: patience)
    }
}

extension TerminalNotices {
    fileprivate func tell(_ notice: ProviderChooser.Notice, _ aliases: [String], _ patience: Int64) {
        switch notice {
        case .page(let url):
            remark("A browser was opened, to choose a provider. If it does not show them, open this address:")
            remark(url)
            remark(
                "Waiting for \(RelativeTime.span(patience)) (Ctrl-C ends it; without a page: `opk login ALIAS`, one of "
                    + "\(aliases.joined(separator: ", "))) …")
            beginWait("")
        case .timeLeft(let seconds): showTimeLeft(seconds)
        case .asking: beginWait("")
        case .line(let line): say(line)
        }
    }
}
