import Foundation
import JOSE
import MintingKit
import PKToken
import Policy
import SSHKeys
import SafeFiles
import Vocabulary

@testable import Verifier

/// Files and keys as a test wants them; and what of it was asked for, in order.
struct TestSources: VerifierSources {
    final class Log {
        var asked: [String] = []
    }

    var providersText = "https://issuer.example.com test-client 24h\n"
    var authIDText = "guest alice@example.com https://issuer.example.com\n"
    var configText = ""
    var keys: [JSON]
    var userinfoAnswer: String?
    /// Thrown by the source of this name.
    var failure: (source: String, refusal: Refusal)?
    var notes: [String] = []
    let log = Log()

    init(_ login: MintedLogin) { keys = login.keys }

    private func ask(_ name: String) throws(Refusal) {
        log.asked.append(name)
        if let failure, failure.source == name { throw failure.refusal }
    }

    func serverConfig() throws(Refusal) -> ServerConfig {
        try ask("config")
        do {
            return try ServerConfig(parsing: Array(configText.utf8))
        } catch {
            throw Refusal(.configuration, "\(error)")
        }
    }

    func providers() throws(Refusal) -> Providers {
        try ask("providers")
        return Providers(parsing: Array(providersText.utf8))
    }

    func keys(for token: TimelyToken) throws(Refusal) -> JWKSet {
        try ask("keys")
        do {
            return try JWKSet(.object(MintedLogin.object(["keys": .array(keys)])))
        } catch {
            throw Refusal(.keysUnavailable)
        }
    }

    /// Where it is set, the rows are read from this file, as opk-verify reads them: only those that name the person.
    var authIDPath: String?

    func authID(for account: Principal, naming identity: VerifiedIdentity, _ userinfo: UserinfoAnswer) throws(Refusal) -> AuthID {
        try ask("authID")
        if let authIDPath {
            do {
                return try AuthID(for: account, naming: identity, userinfo: userinfo, at: authIDPath, trust: .rootOrUser(getuid()))
            } catch {
                throw Refusal(.unsafeFile, "\(error)")
            }
        }
        return AuthID(parsing: Array(authIDText.utf8), for: account, of: identity.issuer)
    }

    var revokedText = ""
    var clientAddress: NetworkAddress?
    var number = UserIDAnswer.unknown
    var homeText: String?
    var hasPlugins = false
    var pluginAnswer = PluginAnswer.refused([])

    func revocations(about subject: RevocationSubject) throws(Refusal) -> Revocations {
        try ask("revoked")
        do {
            return try Revocations(parsing: Array(revokedText.utf8), about: subject)
        } catch {
            throw Refusal(.configuration, "\(error)")
        }
    }

    func userID(of account: Principal) -> UserIDAnswer {
        log.asked.append("userID")
        return number
    }

    func home(of account: Principal, naming identity: VerifiedIdentity) -> HomeAnswer {
        log.asked.append("home")
        return homeText.map { .rows(AuthID(home: Array($0.utf8), of: account, naming: identity)) } ?? .absent
    }

    func askPlugins(about identity: VerifiedIdentity, as account: Principal, _ userinfo: UserinfoAnswer) -> PluginAnswer {
        log.asked.append("plugins")
        return pluginAnswer
    }

    func userinfo(for identity: VerifiedIdentity, accessToken: Secret) -> [UInt8]? {
        log.asked.append("userinfo")
        return userinfoAnswer.map { Array($0.utf8) }
    }
}

/// How sshd's question about this login ends.
struct Answer {
    let outcome: Outcome
    let logLine: String
    let asked: [String]

    init(_ request: LoginRequest, _ sources: TestSources) {
        var verification = Verification(sources, at: MintedLogin.now)
        outcome = verification.decide(request)
        logLine = verification.record.line
        asked = sources.log.asked
    }

    init(_ login: MintedLogin, as account: String = "guest", _ change: (inout TestSources) -> Void = { _ in }) throws {
        var sources = TestSources(login)
        change(&sources)
        let type = try SSHCertificate(parsing: try login.certificate()).type
        self.init(
            LoginRequest(account: Array(account.utf8), key: Array(Base64.encode(try login.certificate()).utf8), type: Array(type.utf8)),
            sources)
    }

    var lines: [String]? { if case .admitted(let lines) = outcome { lines.map(\.description) } else { nil } }
    var refusal: Refusal.Code? { if case .refused(let refusal) = outcome { refusal.code } else { nil } }
    var isNotOurs: Bool { if case .notOurs = outcome { true } else { false } }
}
