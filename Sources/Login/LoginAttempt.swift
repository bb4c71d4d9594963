import Display
import OIDC
import Vocabulary

/// What every way to log in works with: the provider, what was asked for, and whom to tell.
struct LoginAttempt {
    let provider: ProviderClient
    let options: LoginOptions
    /// What the ID token has to carry as its `nonce`: the commitment to the key (PROTOCOL section 1).
    let nonce: Text
    let tell: (LoginFlow.Notice) -> Void

    /// What is made of the provider's tokens, once they are there: the login's result, kept.
    typealias Finish = (ProviderTokens) throws(LoginError) -> LoginResult

    /// Exchanges the code of an answer that belongs to this login.
    func tokens(for query: CallbackQuery, of request: AuthorizationRequest) throws(LoginError) -> ProviderTokens {
        try provider.exchange(try provider.code(in: query), for: request)
    }

    /// Finishes a login whose answer came through a browser, and shows there how it ended.
    func finish(_ answer: consuming ProviderAnswer, of request: AuthorizationRequest, _ finish: Finish) throws(LoginError) -> LoginResult {
        tell(.waitEnded)
        do throws(LoginError) {
            let result = try finish(try tokens(for: answer.query, of: request))
            answer.show(.done(who: result.who, until: result.ends?.local))
            return result
        } catch {
            answer.show(LoginAttempt.page(for: error))
            throw error
        }
    }

    private static func page(for error: LoginError) -> CallbackPage {
        switch error {
        case .refusedByProvider(let error, let description), .clientRefused(_, _, _, let error, let description):
            .refused(error: error, description: description)
        default: .failed
        }
    }
}
