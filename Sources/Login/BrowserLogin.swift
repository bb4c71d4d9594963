import OIDC
import Vocabulary

/// A login in a browser on this machine: RFC 8252.
struct BrowserLogin {
    let attempt: LoginAttempt
    let browser: Browser
    /// The one in which the provider was chosen.
    var waiting: WaitingBrowser? = nil

    func run(_ finish: LoginAttempt.Finish) throws(LoginError) -> LoginResult {
        let options = attempt.options
        let listener = try CallbackListener(firstFreeOf: options.provider.redirectURIs)
        let authorization = try attempt.provider.authorization(redirectURI: listener.redirectURI.text, nonce: attempt.nonce)
        let start = StartAddress(to: authorization.url)
        // The address itself only on the person's own terminal: a browser's arguments are everybody's to read.
        let isLed = waiting?.lead(to: authorization.url) == true
        let opened =
            isLed
            || options.opensBrowser && Browser.isHarmless(authorization.url) && browser.open(start.url(at: listener.redirectURI))
        attempt.tell(.open(url: authorization.url, opened: opened))
        if !opened, browser.isElsewhere { attempt.tell(.browserElsewhere) }
        attempt.tell(.waiting(address: listener.redirectURI.text, seconds: options.patience))
        let deadline = UnixTime.now() + options.patience
        let answer: ProviderAnswer
        do throws(LoginError) {
            answer = try listener.answer(withState: authorization.state, start: opened && !isLed ? start : nil, before: deadline) { now in
                attempt.tell(.timeLeft(seconds: deadline - now))
            }
        } catch {
            throw error.afterWaiting(at: listener.redirectURI, options.provider)
        }
        return try attempt.finish(answer, of: authorization, finish)
    }
}
