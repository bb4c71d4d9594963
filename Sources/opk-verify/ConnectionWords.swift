import Vocabulary

/// `%C` of sshd_config: four words in one argument. sshd 10.0 and 10.6 write server address, server port, **client address**, client port (PROTOCOL
/// section 4; the manual says the reverse). Version 9.2 has no such token.
enum ConnectionWords {
    /// The client's port, likewise.
    static func clientPort(in extra: [[UInt8]]) -> Int64? {
        for argument in extra where clientAddress(in: [argument]) != nil {
            return argument.split(separator: UInt8(ascii: " ")).last.flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
        }
        return nil
    }

    /// The client's address from the first argument that is of this form; nil where none is.
    static func clientAddress(in extra: [[UInt8]]) -> NetworkAddress? {
        for argument in extra {
            let words = argument.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            guard words.count == 4, isPort(words[1]), isPort(words[3]), address(words[0]) != nil else { continue }
            if let client = address(words[2]) { return client }
        }
        return nil
    }

    private static func address(_ word: ArraySlice<UInt8>) -> NetworkAddress? { Text(validating: word).flatMap { NetworkAddress($0) } }

    private static func isPort(_ word: ArraySlice<UInt8>) -> Bool {
        (1...5).contains(word.count) && word.allSatisfy { (0x30...0x39).contains($0) }
    }
}
