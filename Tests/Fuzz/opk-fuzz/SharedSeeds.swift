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
        } else if path.contains("/etc/") {
            seeds.append(("authID", bytes))
            seeds.append(("providers", bytes))
        }
    }
    for certificate in vectorCertificates(shared + "/opkssh-vectors/vectors.json") {
        seeds.append(("certificate", certificate))
        if let token = (try? SSHCertificate(parsing: certificate))?.extensionNamed(SSHCertificate.tokenExtension) {
            seeds.append(("compactToken", token.value))
        }
    }
    return seeds
}

private func vectorCertificates(_ path: String) -> [[UInt8]] {
    guard let bytes = read(path), let vectors = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [[String: Any]] else { return [] }
    return vectors.compactMap { ($0["cert"] as? String).flatMap { Base64.decode(Array($0.utf8)) } }
}
