import Vocabulary

/// Asks the person with which of several providers to log in: on a page in the browser, or in the terminal where there is none.
public struct ProviderChooser {
    /// What a person should see while it goes on.
    public enum Notice: Sendable {
        /// A browser was started; `url` shows the page too.
        case page(url: String)
        /// The page is waited for so many seconds more: told at least once a second.
        case timeLeft(seconds: Int64)
        /// From now on the terminal is asked.
        case asking
        /// A line of the question in the terminal.
        case line(String)
    }

    private let providers: [ProviderConfig]
    private let browser: Browser?
    private let terminal: ChooserTerminal
    private let tell: (Notice) -> Void

    /// - Parameter browser: nil where none is wanted.
    public init(among providers: [ProviderConfig], browser: Browser?, tell: @escaping (Notice) -> Void) {
        self.init(among: providers, browser: browser, terminal: ChooserTerminal(), tell: tell)
    }

    init(among providers: [ProviderConfig], browser: Browser?, terminal: ChooserTerminal, tell: @escaping (Notice) -> Void) {
        self.providers = providers
        self.browser = browser
        self.terminal = terminal
        self.tell = tell
    }

    /// Blocks until one was chosen, `patience` seconds at most. The only one there is needs no choice.
    public func choose(patience: Int64) throws(LoginError) -> ChosenProvider {
        guard let first = providers.first else { throw .noProvider(aliases: []) }
        if providers.count == 1 { return ChosenProvider(first) }
        let deadline = UnixTime.now() + patience
        if let browser {
            let listener = try ChooserListener(for: providers)
            if browser.open(listener.startURL) {
                tell(.page(url: listener.pageURL))
                let (index, waiting) = try listener.choice(before: deadline) { tell(.timeLeft(seconds: deadline - $0)) }
                return ChosenProvider(providers[index], in: waiting)
            }
        }
        tell(.asking)
        let index = try terminal.choice(among: providers, before: deadline) { tell(.line($0)) }
        return ChosenProvider(providers[index])
    }
}

/// What a person chose, and the browser in which he did so: `LoginFlow` sends it on to the provider.
public struct ChosenProvider {
    public let provider: ProviderConfig
    /// Nil where the choice was made elsewhere.
    public let browser: WaitingBrowser?

    public init(_ provider: ProviderConfig, in browser: WaitingBrowser? = nil) {
        self.provider = provider
        self.browser = browser
    }
}
