import HTTP
import OIDC
import Vocabulary

/// A login on another device (RFC 8628): shows where to go with which code, and asks the provider until the person has been there.
struct DeviceLogin {
    let attempt: LoginAttempt
    let pauses: Pauses

    func run(_ finish: LoginAttempt.Finish) throws(LoginError) -> LoginResult {
        let grant = attempt.provider.deviceGrant()
        let device = try attempt.provider.begin(grant, nonce: attempt.nonce)
        let life = min(device.expiresIn, attempt.options.devicePatience ?? .max)
        let end = pauses.now() + life
        attempt.tell(
            .deviceCode(
                LoginFlow.DeviceInvitation(
                    url: device.verificationURI.text, completeURL: device.verificationURIComplete?.text, userCode: device.userCode,
                    seconds: life, isCompleteIgnored: device.isCompleteIgnored)))
        let tokens = try tokens(grant, device, before: end)
        attempt.tell(.waitEnded)
        do throws(LoginError) {
            return try finish(tokens)
        } catch {
            if case .identity(let refusal, _) = error, refusal.code == .commitment { throw .deviceWithoutCommitment }
            throw error
        }
    }

    private func tokens(_ grant: DeviceGrant, _ device: DeviceAuthorization, before end: Int64) throws(LoginError) -> ProviderTokens {
        var pace = DevicePace(interval: device.interval)
        while true {
            try wait(pace.wait, before: end)
            do throws(OIDCError) {
                switch try grant.ask(about: device) {
                case .tokens(let answer):
                    return ProviderTokens(idToken: answer.idToken, accessToken: answer.accessToken, refreshToken: answer.refreshToken)
                case .notYet: pace.wasAnswered()
                case .slowDown: pace.slowDown()
                }
            } catch {
                guard error.mayPass else { throw loginError(error) }
                pace.wasNotAnswered()
                attempt.tell(.deviceRetry(why: "\(error)"))
            }
        }
    }

    /// Second by second, so that a person sees that it goes on.
    private func wait(_ seconds: Int64, before end: Int64) throws(LoginError) {
        let until = pauses.now() + seconds
        while true {
            let now = pauses.now()
            guard now < end else { throw .deviceCodeExpired }
            attempt.tell(.timeLeft(seconds: end - now))
            guard now < until else { return }
            pauses.sleep(1)
        }
    }

    private func loginError(_ error: OIDCError) -> LoginError {
        switch error {
        case .refused(error: "expired_token", description: _): .deviceCodeExpired
        case .refused(let error, let description): .refused(error, description, attempt.options.provider)
        default: .tokenEndpoint("\(error)")
        }
    }
}
