import ArgumentParser
import ChildProcess
import DemoProvider
import Vocabulary

@main
struct DemoProviderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "opk-demo-provider",
        abstract: "An OpenID provider for demonstrations and tests: loopback only, and anybody can log in as anybody.",
        discussion: """
            When it is ready it prints two lines: "issuer: URL" and "control-token: TOKEN". It ends on SIGTERM and SIGINT.

            The people are alice and bob (verified email addresses, groups), carol (email not verified) and dave (no email). A script logs \
            in with --auto-login, or sends what the login page's buttons send: a POST to the authorization URL with the form field \
            person=alice. A device is approved by a POST to /device with user_code=CODE and person=alice. person=refuse refuses.

            POST /control with "Authorization: Bearer TOKEN" takes a JSON object with any of these members (all optional):
              key_type "RS256"|"PS256"|"ES256"|"EdDSA", rotate true|"keep", auto_login, claims {PERSON: {CLAIM: VALUE}},
              userinfo_only [CLAIM], token_lifetime, issued_at_offset, signature "good"|"bad"|"empty"|"other-key",
              refreshed_id_token, refresh_token, device_nonce, device_interval, device_lifetime, reset true,
              faults {discovery|jwks|authorize|token|userinfo|device|revoke: FAULT},
              override {discovery|jwks|jwk|id_token_header|id_token|refreshed_id_token|token_response|userinfo|callback|\
            device_authorization: {MEMBER: VALUE}}; null takes a member or a claim away.
            A FAULT is "none", slow:SECONDS, status:CODE, issuer:URL, huge[:BYTES], cut, html, redirect[:URL], or an object
            {"kind": "slow", "seconds": 3, "times": 1}. GET /control/requests tells how often each path was asked for, DELETE resets it.
            """,
        version: "opk-demo-provider \(Version.text)")

    /// With the arguments as the kernel gave them.
    static func main() async {
        await main(ProcessArguments.texts)
    }

    @Option(help: "The port; 0 takes a free one.")
    var port: UInt16 = 0

    @Option(help: "The address to listen on: 127.0.0.1, ::1 or localhost, which are all the same to it. Any other is refused.")
    var bind: String = "localhost"

    @Option(help: "The issuer, where a TLS proxy in front has another name: a loopback host and port.")
    var externalURL: String?

    @Option(help: ArgumentHelp("A client besides opk-demo; may be given more than once.", valueName: "id[:secret]"))
    var client: [String] = []

    @Option(help: "A redirect URI that is allowed besides any loopback one; may be given more than once.")
    var redirectURI: [String] = []

    @Option(help: "Log this person in at once, without the login page.")
    var autoLogin: String?

    @Option(help: "RS256, PS256, ES256 or EdDSA.")
    var keyType: String = "RS256"

    @Option(help: "Seconds from iat to exp of ID tokens.")
    var tokenLifetime: Int64 = 3600

    @Option(help: ArgumentHelp("Seconds added to iat and exp.", valueName: "seconds"))
    var issuedAtOffset: Int64 = 0

    @Option(help: ArgumentHelp("Make an endpoint fail from the start; may be given more than once.", valueName: "endpoint=fault"))
    var fault: [String] = []

    @Option(help: ArgumentHelp("A control document that holds from the start; may be given more than once.", valueName: "json"))
    var control: [String] = []

    @Option(help: "The control endpoint's token; without it a random one is made.")
    var controlToken: String?

    @Flag(help: "End when standard input closes.")
    var exitWithStdin = false

    func validate() throws {
        guard ["localhost", "127.0.0.1", "::1", "[::1]"].contains(bind) else {
            throw ValidationError("this provider lets anybody log in as anybody, so it listens on loopback addresses only")
        }
    }

    func run() async throws {
        let stop = StopSignal(exitWithStdin: exitWithStdin)
        let provider: DemoProvider
        do {
            provider = try await DemoProvider.start(try options())
        } catch let error as DemoProviderError {
            throw ValidationError(error.description)
        }
        complain("opk-demo-provider: on 127.0.0.1 and [::1] only; anybody on this machine can log in as anybody")
        say("issuer: \(provider.issuer.string)")
        say("control-token: \(provider.controlToken.string)")
        await stop.wait()
        await provider.stop()
    }

    private func options() throws -> DemoProviderOptions {
        var options = DemoProviderOptions()
        options.port = port
        options.externalURL = externalURL.map { Text($0) }
        options.clients += client.map { text in
            let halves = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return Client(Text(String(halves[0])), secret: halves.count > 1 ? Text(String(halves[1])) : nil)
        }
        options.redirectURIs = redirectURI.map { Text($0) }
        options.controlToken = controlToken.map { Text($0) }
        options.control =
            try ControlArguments(
                autoLogin: autoLogin, keyType: keyType, tokenLifetime: tokenLifetime, issuedAtOffset: issuedAtOffset, faults: fault
            ).documents() + control.map { Text($0) }
        return options
    }
}
