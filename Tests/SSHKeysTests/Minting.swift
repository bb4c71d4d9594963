import LibCrypto
import MintingKit
import SSHKeys
import Testing
import Vocabulary

let token = Array("a:b:c:d:e".utf8)
let now = MintedLogin.now

/// A good certificate for `key`, with a change.
func minted(_ key: PrivateKey = TestKeys.ed25519, _ change: (inout CertificateForm) -> Void = { _ in }) throws -> [UInt8] {
    var form = CertificateForm(for: key.publicKey, token: token)
    change(&form)
    return try form.signed(by: key)
}

func formatError(_ blob: [UInt8]) -> SSHFormatError? {
    do {
        _ = try SSHCertificate(parsing: blob)
        return nil
    } catch {
        return error
    }
}

/// Steps 1 and 2: nil where the certificate is good.
func refusal(_ blob: [UInt8], at time: UnixTime = now) throws -> Refusal.Code? {
    do {
        _ = try SSHCertificate(parsing: blob).selfSigned(at: time)
        return nil
    } catch let refusal as Refusal {
        return refusal.code
    }
}
