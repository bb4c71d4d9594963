import Display
public import HTTP
import LibCrypto
import OIDC
import PKToken
import Vocabulary

/// A login from the first key to the last page: makes a key pair, asks the provider to sign for it in the browser, and checks what comes
/// back as a server will.
public struct LoginFlow {
    /// What a person should see while it goes on.
    public enum Notice: Sendable {
        /// The address to open, on a line of its own; `opened`: whether a browser was started.
        case open(url: String, opened: Bool)
        /// Waits at `address` for so many seconds.
        case waiting(address: String, seconds: Int64)
    }

    private let options: LoginOptions
    private let http: HTTPClient
    private let browser: Browser
    private let waiting: WaitingBrowser?
    private let tell: (Notice) -> Void

    /// - Parameter waiting: the browser in which the provider was chosen: it is sent on, and none is opened.
    public init(
        _ options: LoginOptions, http: HTTPClient = HTTPClient(), browser: Browser, waiting: WaitingBrowser? = nil,
        tell: @escaping (Notice) -> Void
    ) {
        self.options = options
        self.http = http
        self.browser = browser
        self.waiting = waiting
        self.tell = tell
    }

    /// Blocks until the login has ended one way or the other. `keep` writes the key; it is called once, with a result that was verified,
    /// and before the browser is told that all is well.
    public func run(keep: (LoginResult) throws(LoginError) -> Void) throws(LoginError) -> LoginResult {
        let provider = try ProviderClient(options.provider, http: http)
        let mint = try certificateMaker()
        let listener = try CallbackListener(firstFreeOf: options.provider.redirectURIs)
        let authorization = try provider.authorization(redirectURI: listener.redirectURI, nonce: mint.claims.commitment)
        let start = StartAddress(to: authorization.url)
        // The address itself only on the person's own terminal: a browser's arguments are everybody's to read.
        let isLed = waiting?.lead(to: authorization.url) == true
        let opened =
            isLed
            || options.opensBrowser && Browser.isHarmless(authorization.url) && browser.open(start.url(at: listener.redirectURI))
        tell(.open(url: authorization.url, opened: opened))
        tell(.waiting(address: listener.redirectURI.text, seconds: options.patience))
        let answer = try listener.answer(
            withState: authorization.state, start: opened && !isLed ? start : nil, before: .now() + options.patience)
        do throws(LoginError) {
            let code = try provider.code(in: answer.query)
            let tokens = try provider.exchange(code, for: authorization)
            let result = try mint.mint(tokens, keys: try provider.keys(), at: .now())
            try keep(result)
            answer.show(.done(who: result.who, until: result.ends?.local))
            return result
        } catch {
            answer.show(LoginFlow.page(for: error))
            throw error
        }
    }

    private func certificateMaker() throws(LoginError) -> IdentityCertificate {
        let key: PrivateKey
        do throws(KeyError) {
            key = try PrivateKey(generating: options.keyKind == .ecdsa ? .p256 : .ed25519)
        } catch {
            throw .key(error)
        }
        do throws(Refusal) {
            return IdentityCertificate(
                key: key, claims: try ClientInstanceClaims(for: key.publicKey),
                row: ProviderRow(issuer: options.provider.issuer, clientID: options.provider.clientID, expiry: options.lifetime),
                principals: options.principals, sendsAccessToken: options.provider.sendsAccessToken)
        } catch {
            throw .identity(error, clockOff: nil)
        }
    }

    private static func page(for error: LoginError) -> CallbackPage {
        if case .refusedByProvider(let error, let description) = error { return .refused(error: error, description: description) }
        return .failed
    }
}
