import JOSE
import LibCrypto
import PKToken
import SSHKeys
import Vocabulary

/// Reads the bytes as a JSON text, and as a provider's keys.
@Sendable func json(_ bytes: [UInt8]) {
    guard let value = try? JSON(parsing: bytes) else { return }
    let written = value.serialized
    guard let again = try? JSON(parsing: written) else {
        must(false, "what was written cannot be read")
        return
    }
    must(again.serialized == written, "written, read and written, it is another text")
    must(Text(validating: written) != nil, "not UTF-8")
    must(!written.contains { $0 < 0x20 }, "a control character as it is")
    walk(value, depth: 1)
    guard let keys = try? JWKSet(value) else { return }
    for key in keys.keys {
        for keyID in [key.keyID, nil] {
            guard case .keys(let found) = keys.select(keyID: keyID, algorithm: key.algorithm) else { continue }
            must(!found.isEmpty && found.count <= (keyID == nil ? 1 : 4), "too many keys to try")
            for key in found { check(key) }
        }
    }
}

private func walk(_ value: JSON, depth: Int) {
    must(depth <= JSON.maximumDepth + 1, "nested too deep")
    switch value {
    case .number(let number):
        must(number.text.count <= JSON.maximumNumberLength, "a number too long")
        if let time = number.time {
            must(time >= UnixTime(seconds: 0) && time.seconds <= UnixTime.endOfYear9999.seconds, "a time out of range")
            must((0..<1_000_000_000).contains(time.nanoseconds), "nanoseconds out of range")
            if let integer = number.integer { must(integer == time.seconds, "two values of one number") }
        }
    case .array(let elements): for element in elements { walk(element, depth: depth + 1) }
    case .object(let object):
        must(Set(object.members.map(\.name)).count == object.members.count, "a member twice")
        for member in object.members {
            must(object[member.name] == member.value, "a member that is not found")
            walk(member.value, depth: depth + 1)
        }
    case .null, .bool, .string: break
    }
}

/// A key that is used can be written down, in both ways, and read again.
private func check(_ key: PublicKey) {
    must(PublicKey(jwkMembers: key.jwk) == key, "a key that is another one as a JWK")
    var reader = SSHReader(key.sshBlob)
    must((try? reader.string()).map { $0.elementsEqual(key.sshType.utf8) } ?? false, "a key that is of another type over SSH")
}
