import Foundation
import FuzzTargets
import SSHKeys
import Vocabulary

/// Seeds out of the published data beside the checkout, by target. They are never kept in the repository.
func sharedSeeds(in shared: String) -> [(target: String, bytes: [UInt8])] {
    var seeds: [(target: String, bytes: [UInt8])] = []
    let walk = FileManager.default.enumerator(atPath: shared)
    while let path = walk?.nextObject() as? String {
        guard path.hasPrefix("vectors/") || path.hasPrefix("opkssh-vectors/"), let bytes = read(shared + "/" + path), bytes.count <= 16_384
        else {
            continue
        }
        if path.hasSuffix(".pub") {
            if let line = SSHKeyLine(parsing: bytes) { seeds.append(("certificate", line.blob)) }
        } else if path.hasSuffix(".json") {
            seeds.append(("json", bytes))
            if path.contains("/jwks/") { seeds.append(("keyCache", bytes)) }
        } else if path.contains("/etc/") {
            seeds.append(("authID", bytes))
            seeds.append(("providers", bytes))
            if path.hasSuffix(".yml") { seeds.append(("config", bytes)) }
        }
    }
    for (user, type, certificate) in vectorCertificates(shared + vectorsPath) {
        seeds.append(("certificate", certificate))
        // 17: the blob as it is, at the time for which it was made.
        seeds.append(("verify", verifyInput(form: 17, Array(user.utf8), Array(type.utf8), certificate)))
        if let token = (try? SSHCertificate(parsing: certificate))?.extensionNamed(SSHCertificate.tokenExtension) {
            seeds.append(("compactToken", token.value))
        }
    }
    return seeds
}

private let vectorsPath = "/opkssh-vectors/vectors.json"

private func vectorCertificates(_ path: String) -> [(user: String, type: String, blob: [UInt8])] {
    guard let bytes = read(path), let vectors = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [[String: Any]] else { return [] }
    return vectors.compactMap { vector in
        guard let key = vector["cert"] as? String, let blob = Base64.decode(Array(key.utf8)), let user = vector["user"] as? String,
            let type = vector["key_type"] as? String
        else { return nil }
        return (user, type, blob)
    }
}

/// So that the certificates of the published data are admitted.
func learnSharedKeys(in shared: String) {
    if let jwks = read(shared + "/opkssh-vectors/jwks/base.json") { useSharedKeys(jwks) }
}
