public import HTTP
import OIDC
import PKToken
import Vocabulary

/// A login from the first key to the last page: makes a key pair, asks the provider to sign for it in one of three ways, and checks what
/// comes back as a server will.
public struct LoginFlow {
    private let options: LoginOptions
    private let http: HTTPClient
    private let browser: Browser
    private let waiting: WaitingBrowser?
    private let input: Int32
    private let pauses: Pauses
    private let tell: (Notice) -> Void

    /// - Parameters:
    ///   - waiting: the browser in which the provider was chosen: it is sent on, and none is opened.
    ///   - input: the descriptor that an address is pasted to; standard input.
    public init(
        _ options: LoginOptions, http: HTTPClient = HTTPClient(), browser: Browser, waiting: WaitingBrowser? = nil, input: Int32 = 0,
        tell: @escaping (Notice) -> Void
    ) {
        self.init(options, http: http, browser: browser, waiting: waiting, input: input, pauses: Pauses(), tell: tell)
    }

    init(
        _ options: LoginOptions, http: HTTPClient, browser: Browser, waiting: WaitingBrowser? = nil, input: Int32, pauses: Pauses,
        tell: @escaping (Notice) -> Void
    ) {
        self.options = options
        self.http = http
        self.browser = browser
        self.waiting = waiting
        self.input = input
        self.pauses = pauses
        self.tell = tell
    }

    /// Blocks until the login has ended one way or the other. `keep` writes the key; it is called once, with a result that was verified,
    /// and before the browser is told that all is well.
    public func run(keep: (LoginResult) throws(LoginError) -> Void) throws(LoginError) -> LoginResult {
        let provider = try ProviderClient(options.provider, http: http)
        let mint = try IdentityCertificate(for: options)
        let attempt = LoginAttempt(provider: provider, options: options, nonce: mint.claims.commitment, tell: tell)
        let finish = { (tokens: ProviderTokens) throws(LoginError) -> LoginResult in
            let result = try mint.mint(tokens, keys: try provider.keys(), at: .now())
            try keep(result)
            return result
        }
        defer { tell(.waitEnded) }
        switch options.way {
        case .browser: return try BrowserLogin(attempt: attempt, browser: browser, waiting: waiting).run(finish)
        case .remote: return try RemoteLogin(attempt: attempt, input: input).run(finish)
        case .device: return try DeviceLogin(attempt: attempt, pauses: pauses).run(finish)
        }
    }
}
