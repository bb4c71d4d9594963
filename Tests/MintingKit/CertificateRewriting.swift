public import SSHKeys

extension SSHCertificate {
    /// Whether writing the fields that were read gives the received bytes again (but for a key that opk does not use, whose
    /// fields are not kept, and the reserved string, which is only looked for).
    public var isWrittenAlike: Bool {
        var head = SSHWriter()
        head.string(type)
        head.string(nonce)
        guard blob.starts(with: head.bytes) else { return false }
        var tail = SSHWriter()
        tail.uint64(serial)
        tail.uint32(kind.rawValue)
        tail.string(keyID)
        tail.string(principals.flatMap(sshString))
        tail.uint64(validAfter)
        tail.uint64(validBefore)
        tail.string(criticalOptions.flatMap(\.written))
        tail.string(extensions.flatMap(\.written))
        var end = SSHWriter()
        end.string(signatureKey)
        guard signedBytes.count >= end.bytes.count, signedBytes.suffix(end.bytes.count).elementsEqual(end.bytes),
            blob == signedBytes + sshString(signature)
        else { return false }
        let middle = Array(signedBytes.dropLast(end.bytes.count).dropFirst(head.bytes.count))
        guard let key else {
            // Somewhere after the unknown key's fields.
            return middle.count >= tail.bytes.count
        }
        var blobReader = SSHReader(key.sshBlob)
        guard (try? blobReader.string()) != nil else { return false }
        let expected = key.sshBlob.suffix(blobReader.remaining) + tail.bytes
        guard middle.starts(with: expected) else { return false }
        var rest = SSHReader(middle.dropFirst(expected.count))
        return (try? rest.string()) != nil && rest.isAtEnd
    }
}

extension SSHCertificate.Option {
    fileprivate var written: [UInt8] { sshString(name) + sshString(hasValue ? sshString(value) : []) }
}
