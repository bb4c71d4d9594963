import DemoProvider
import Foundation
import HTTP
import Vocabulary

@testable import Login

/// Logs in at a demo provider in the place of a person whose browser is on another machine.
enum Elsewhere {
    struct Attempt: Sendable {
        let result: Result<LoginResult, LoginError>
        let notices: [LoginFlow.Notice]
        let kept: Int
        /// Seconds that went by, as the login saw them.
        let seconds: Int64

        var error: LoginError? { if case .failure(let error) = result { error } else { nil } }

        var refusals: [String] {
            notices.compactMap { if case .pasteRefused(let why, _) = $0 { why } else { nil } }
        }
        var retries: Int { notices.count { if case .deviceRetry = $0 { true } else { false } } }
        var invitation: LoginFlow.DeviceInvitation? {
            notices.lazy.compactMap { if case .deviceCode(let invitation) = $0 { invitation } else { nil } }.first
        }
    }

    /// On another device: what the person does at the address with the code. Time flies: a second of waiting takes none.
    static func device(
        at issuer: Text, client: Text = "opk-demo",
        person: @escaping @Sendable (_ invitation: LoginFlow.DeviceInvitation) -> Void = { _ in },
        eachSecond: @escaping @Sendable (Int64) -> Void = { _ in },
        options change: @escaping @Sendable (inout LoginOptions) -> Void = { _ in }
    ) async -> Attempt {
        await onThread {
            var options = LoginOptions(provider: ProviderConfig(issuer: issuer, clientID: client))
            options.way = .device
            change(&options)
            let clock = Shared<Int64>(0)
            let pauses = Pauses(
                now: { clock.value },
                sleep: { seconds in
                    clock.value += seconds
                    eachSecond(clock.value)
                })
            return run(options, input: -1, pauses, clock) { notice in
                if case .deviceCode(let invitation) = notice { person(invitation) }
            }
        }
    }

    /// In a browser elsewhere: what the person pastes, given the printed address.
    static func remote(
        at issuer: Text, patience: Int64 = 120, paste: @escaping @Sendable (_ url: String, _ pipe: FileHandle) -> Void,
        options change: @escaping @Sendable (inout LoginOptions) -> Void = { _ in }
    ) async -> Attempt {
        await onThread {
            var provider = ProviderConfig(issuer: issuer, clientID: "opk-demo")
            provider.redirectURIs = [RedirectURI(host: .localhost, port: 0, path: "/login-callback")]
            var options = LoginOptions(provider: provider)
            options.way = .remote
            options.patience = patience
            change(&options)
            let pipe = Pipe()
            var person: ThreadHandle?
            let attempt = run(options, input: pipe.fileHandleForReading.fileDescriptor, Pauses(), Shared(0)) { notice in
                guard case .askPaste(let url, _, _) = notice else { return }
                person = ThreadHandle { paste(url, pipe.fileHandleForWriting) }
            }
            person?.join()
            return attempt
        }
    }

    private static func run(
        _ options: LoginOptions, input: Int32, _ pauses: Pauses, _ clock: Shared<Int64>, _ act: @escaping (LoginFlow.Notice) -> Void
    ) -> Attempt {
        var notices: [LoginFlow.Notice] = []
        var kept = 0
        let flow = LoginFlow(
            options, http: HTTPClient(timeout: .seconds(60)), browser: Browser(environment: .empty), input: input, pauses: pauses
        ) { notice in
            notices.append(notice)
            act(notice)
        }
        let result: Result<LoginResult, LoginError>
        do throws(LoginError) {
            result = .success(try flow.run { _ throws(LoginError) in kept += 1 })
        } catch {
            result = .failure(error)
        }
        return Attempt(result: result, notices: notices, kept: kept, seconds: clock.value)
    }

    /// Approves a device as somebody, on "another device".
    static func approve(_ invitation: LoginFlow.DeviceInvitation, as person: String = "alice") {
        guard let url = try? WebURL(parsing: invitation.url) else { return }
        _ = try? HTTPClient(timeout: .seconds(60)).post(url, form: [("user_code", invitation.userCode.string), ("person", person)])
    }
}
