import HTTP
import OIDC
import Vocabulary

/// A login in a browser on another machine: the address is printed, and the one at which the browser ends is pasted back.
///
/// The browser ends at `localhost`, where on the other machine nothing listens, or at an https page of somebody's that shows what to copy.
/// PKCE makes the code worthless to all who see it on the way. Should somebody forward the port (`ssh -L`), the answer comes by itself:
/// whichever is first counts.
struct RemoteLogin {
    let attempt: LoginAttempt
    let input: Int32

    /// Pastes that cannot be used, until the login ends.
    static let mostWrongPastes = 5

    func run(_ finish: LoginAttempt.Finish) throws(LoginError) -> LoginResult {
        let listener = try listener()
        let redirectURI = try redirectURI(listener)
        let request = try attempt.provider.authorization(redirectURI: redirectURI, nonce: attempt.nonce)
        attempt.tell(.askPaste(url: request.url, ending: redirectURI, seconds: attempt.options.patience))
        // Only now: who is told can put the terminal right when Ctrl-C ends the wait.
        let pasted = PastedInput(input)
        let deadline = UnixTime.now() + attempt.options.patience
        var wrong = 0
        while true {
            let now = UnixTime.now()
            guard now < deadline else { throw .noAnswer(listener?.strays ?? []) }
            attempt.tell(.timeLeft(seconds: deadline - now))
            if let answer = try listener?.answerNow(request.state, within: 1) {
                pasted.end()
                return try attempt.finish(answer, of: request, finish)
            }
            switch pasted.read(within: 250) {
            case .nothingYet: continue
            case .some(let count): if pasted.isTerminal { attempt.tell(.pasting(characters: count)) }
            case .end: throw .nothingPasted
            case .line(let line):
                guard let query = try answer(in: line, request, &wrong) else { continue }
                pasted.end()
                attempt.tell(.waitEnded)
                return try finish(try attempt.tokens(for: query, of: request))
            }
        }
    }

    /// Nil where the paste cannot be used and may be tried again.
    private func answer(in line: [UInt8], _ request: AuthorizationRequest, _ wrong: inout Int) throws(LoginError) -> CallbackQuery? {
        let redirectURI = Text(request.redirectURI)
        do throws(PastedAnswer.Fault) {
            let takesQuery = attempt.options.provider.remoteRedirectURI != nil
            return try PastedAnswer.read(line, endingAt: redirectURI, takesQuery: takesQuery, state: request.state)
        } catch {
            wrong += 1
            let left = RemoteLogin.mostWrongPastes - wrong
            attempt.tell(.pasteRefused(why: error.explanation(redirectURI), left: left))
            guard left > 0 else { throw .wrongPastes(wrong) }
            return nil
        }
    }

    /// Nil where no port is free: then what is pasted must do.
    private func listener() throws(LoginError) -> CallbackListener? {
        do throws(LoginError) {
            return try CallbackListener(firstFreeOf: attempt.options.provider.redirectURIs)
        } catch {
            if case .noFreePort = error { return nil }
            throw error
        }
    }

    private func redirectURI(_ listener: CallbackListener?) throws(LoginError) -> String {
        if let remote = attempt.options.provider.remoteRedirectURI { return try RemoteLogin.checked(remote) }
        let candidates = attempt.options.provider.redirectURIs
        guard let uri = listener?.redirectURI ?? candidates.first(where: { $0.port != 0 }) else { throw .noFreePort(candidates) }
        return uri.text
    }

    /// An https page without a query, which would be in the way of the answer's; as a URL of an issuer must be (`WebURL`).
    static func checked(_ uri: String) throws(LoginError) -> String {
        guard let url = try? WebURL(parsing: uri), url.scheme == .https, url.query == nil else { throw .remoteRedirectURI(Text(uri)) }
        return uri
    }
}

extension ProviderConfig {
    /// - Throws: unless it is a page that the browser may be sent to, with its answer.
    public mutating func setRemoteRedirectURI(_ uri: String) throws(LoginError) {
        remoteRedirectURI = try RemoteLogin.checked(uri)
    }
}
