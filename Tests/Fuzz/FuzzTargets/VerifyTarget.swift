import JOSE
import LibCrypto
import MintingKit
import PKToken
import SSHKeys
import Verifier
import Vocabulary

/// Asks the whole verification what sshd asks: may this key log in to this account? The input is the three arguments, divided by NUL (which
/// no argument can have), behind a byte that says what the third of them is:
///
///     form  account NUL type NUL rest
///
/// - form 0: the rest is `%k` as it is.
/// - form 1: the rest is the blob, and the base64 is written here.
/// - form 2: the rest is the blob without its signature, which the user's key adds: nobody can guess one.
/// - form 3: principals, divided by commas, NUL, an access token, NUL, then a login as the target `login` takes it, every signature of it good.
///
/// From 8 on the provider answers the question for userinfo, with groups; from 16 on the clock stands where the published data was made.
@Sendable func verify(_ bytes: [UInt8]) { _ = linesPrinted(for: bytes) }

/// What the target `verify` would have printed for sshd: for a test that its seeds come as far as that.
public func linesPrinted(for bytes: [UInt8]) -> [String] {
    guard let form = bytes.first else { return [] }
    let parts = bytes.dropFirst().split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false).map(Array.init)
    guard parts.count == 3, let key = argument(form & 7, parts[2]) else { return [] }
    let request = LoginRequest(account: parts[0], key: key, type: parts[1])
    let userinfo = form & 8 == 0 ? nil : Array(#"{"sub":"alice-1","groups":["admins"],"email":"alice@example.com"}"#.utf8)
    let now = form & 16 == 0 ? MintedLogin.now : publishedTime
    let first = Answer(request, userinfo, now)
    let second = Answer(request, userinfo, now)
    must(first.line == second.line && first.printed == second.printed, "two answers to one question")
    first.check(request, now)
    return first.printed
}

/// The keys that verify what is published beside the checkout, and when that was made.
nonisolated(unsafe) private var publishedKeys: JWKSet?
private let publishedTime = UnixTime(seconds: 1_795_291_636)

/// For fuzzing from the published certificates: their provider's JWKS. To be called before the first input, or not at all.
public func useSharedKeys(_ jwks: [UInt8]) {
    unsafe publishedKeys = FuzzSources.makeKeys(jwks)
}

private func argument(_ form: UInt8, _ rest: [UInt8]) -> [UInt8]? {
    switch form {
    case 0: return rest
    case 1: return Array(Base64.encode(rest).utf8)
    case 2:
        guard let signature = try? CertificateForm.signature(by: FixedKeys.user, over: rest) else { return nil }
        return Array(Base64.encode(rest + sshString(signature)).utf8)
    case 3:
        let parts = rest.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false).map(Array.init)
        guard parts.count == 3, var login = minted(parts[2])?.login else { return nil }
        let (names, accessToken) = (parts[0], parts[1])
        login.rewriteCertificate = { form in
            let split = names.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            form.principals = names.isEmpty ? [] : split.map(Array.init)
            if !accessToken.isEmpty { form.extensions.insert(.init("openpubkey-act", value: accessToken), at: 0) }
        }
        return (try? login.certificate()).map { Array(Base64.encode($0).utf8) }
    default: return nil
    }
}

/// One answer, and what was asked for it.
private struct Answer {
    let outcome: Outcome
    let line: String
    let log: FuzzSources.Log
    let keys: JWKSet

    init(_ request: LoginRequest, _ userinfo: [UInt8]?, _ now: UnixTime) {
        keys = unsafe publishedKeys ?? FuzzSources.keys
        let sources = FuzzSources(keySet: keys, userinfoAnswer: userinfo)
        var verification = Verification(sources, at: now)
        outcome = verification.decide(request)
        line = verification.record.line
        log = sources.log
    }

    var printed: [String] { if case .admitted(let lines) = outcome { lines.map(\.description) } else { [] } }

    func check(_ request: LoginRequest, _ now: UnixTime) {
        must(line.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "a control character in the log")
        let order = ["config", "providers", "keys", "revoked", "authID", "userinfo", "revoked"]
        must(log.asked.elementsEqual(order.prefix(log.asked.count)), "asked out of order: \(log.asked)")
        let certificate = Base64.decode(request.key).flatMap { try? SSHCertificate(parsing: $0) }
        switch outcome {
        case .notOurs:
            must(log.asked.isEmpty, "a file was read for another's key")
            must(certificate?.isOpenPubkey != true, "an OpenPubkey certificate was passed over")
        case .refused(let refusal):
            must(line.hasPrefix("refused step=\(refusal.step.rawValue) reason=\(refusal.code.rawValue) "), "another line: \(line)")
            must(refusal.step.rawValue >= 8 || !log.asked.contains("keys"), "the network was asked before all else held")
        case .admitted:
            guard let certificate else {
                must(false, "admitted what is no certificate")
                return
            }
            checkAdmitted(certificate, request, now)
        }
    }

    /// The rules again, said another way.
    private func checkAdmitted(_ certificate: SSHCertificate, _ request: LoginRequest, _ now: UnixTime) {
        must(line.hasPrefix("admitted account="), "another line: \(line)")
        must(log.asked.count >= 5, "admitted without asking for \(log.asked)")
        must(request.type.elementsEqual(certificate.type.utf8), "another type")
        must(certificate.kind == .user && certificate.criticalOptions.isEmpty, "not a user certificate without critical options")
        let seconds = UInt64(now.seconds)
        must(certificate.validAfter <= seconds && seconds < certificate.validBefore, "not valid now")
        guard let key = certificate.key else {
            must(false, "admitted a key that cannot be used")
            return
        }
        must(certificate.signatureKey == key.sshBlob, "signed by another key")
        must(key.verifies(sshSignature: certificate.signature, over: certificate.signedBytes), "not signed")
        must(printed == [expectedLine(certificate, key, request.account)], "another answer: \(printed)")
        guard let value = certificate.extensionNamed(SSHCertificate.tokenExtension)?.value,
            let token = try? CompactToken(parsing: value)
        else {
            must(false, "admitted without a token")
            return
        }
        let algorithms: [JWSAlgorithm] = [.es256, .edDSA, .rs256]
        must(algorithms.contains { token.client.verifies(with: key, $0) }, "the client did not sign")
        must(isSignedByProvider(token), "the provider did not sign")
        must(!denied(token, request.account), "a deny list was passed over")
    }

    /// PROTOCOL section 6.
    private func expectedLine(_ certificate: SSHCertificate, _ key: PublicKey, _ account: [UInt8]) -> String {
        let wildcard = Array("opkssh-wildcard".utf8)
        let name = certificate.principals.contains(wildcard) ? wildcard : account
        must(certificate.principals.isEmpty || certificate.principals.contains(name), "a principal that the certificate has not")
        must(account.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x2C && $0 != 0x5C }, "an unsafe account")
        let option = certificate.principals.isEmpty ? "" : ",principals=\"" + String(decoding: name, as: UTF8.self) + "\""
        return "cert-authority" + option + " " + key.sshType + " " + Base64.encode(certificate.signatureKey)
    }

    private func isSignedByProvider(_ token: CompactToken) -> Bool {
        keys.keys.lazy.compactMap { $0.publicKey() }.contains { key in
            if JWSAlgorithm.allCases.contains(where: { token.provider.verifies(with: key, $0) }) { return true }
            guard case .rsa(let key) = key, let original = token.provider.header.keyID else { return false }
            let identity = original.utf8 + [UInt8(ascii: ".")] + token.provider.encodedPayload
            return GQSignature.verifies(token.provider.signature, identity: identity, message: token.provider.signedBytes, key: key)
        }
    }

    private func denied(_ token: CompactToken, _ account: [UInt8]) -> Bool {
        let lowered = account.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        return lowered.elementsEqual("denied".utf8)
            || token.payload["email"]?.string?.equalsIgnoringASCIICase("mallory@example.com") == true
    }
}
