import Foundation
import Vocabulary

/// What an attacker can do to a certificate file.
enum CertificateSurgery {
    /// The PK token in a certificate.
    static func token(in certificate: [String]) throws -> String {
        let blob = try self.blob(certificate)
        // An extension is string(name) string(string(value)): the name, and the eight bytes of two lengths.
        let name = Array("openpubkey-pkt".utf8)
        guard let start = blob.indices.first(where: { blob[$0...].starts(with: name) }) else { throw HarnessError("no PK token") }
        let lengthAt = start + name.count + 4
        guard lengthAt + 4 <= blob.count else { throw HarnessError("no PK token") }
        let length = blob[lengthAt..<(lengthAt + 4)].reduce(0) { $0 << 8 | Int($1) }
        guard lengthAt + 4 + length <= blob.count else { throw HarnessError("no PK token") }
        return String(decoding: blob[(lengthAt + 4)..<(lengthAt + 4 + length)], as: UTF8.self)
    }

    /// The ID token's claims.
    static func claims(in certificate: [String]) throws -> [String: Any] {
        let payload = try token(in: certificate).prefix { $0 != ":" }
        guard let bytes = Base64URL.decode(Array(payload.utf8)),
            let claims = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
        else { throw HarnessError("the token has no claims") }
        return claims
    }

    /// The certificate with one letter of its key id in the other case: well-formed, and no longer what was signed.
    static func flippingOneByteOfTheKeyID(of certificate: [String], _ keyID: String) throws -> [String] {
        var blob = try self.blob(certificate)
        let name = Array(keyID.utf8)
        guard let start = blob.indices.first(where: { blob[$0...].starts(with: name) }) else { throw HarnessError("no such key id") }
        blob[start] ^= 0x20
        return [certificate[0], Base64.encode(blob)] + certificate.dropFirst(2)
    }

    private static func blob(_ certificate: [String]) throws -> [UInt8] {
        guard certificate.count >= 2, let blob = Base64.decode(Array(certificate[1].utf8)) else { throw HarnessError("no certificate") }
        return blob
    }
}
