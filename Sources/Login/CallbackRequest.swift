import Vocabulary

/// The head of one HTTP/1 request, read for one purpose: is it the provider's answer, or the browser that we started?
enum CallbackRequest {
    enum Asked: Equatable {
        case answer(CallbackQuery)
        /// The start address.
        case start
    }

    /// Bytes of a request head, query included. A code is some 2 KiB at most among the large providers.
    static let limit = 32 * 1024

    /// Nil while the head is not complete. `redirectURI` has the port that is bound; `start` is the path of the start address.
    static func read(_ bytes: [UInt8], for redirectURI: RedirectURI, start: Text? = nil) throws(StrayRequest) -> Asked? {
        guard let end = endOfHead(bytes) else {
            guard bytes.count < limit else { throw .tooLarge }
            return nil
        }
        guard end <= limit else { throw .tooLarge }
        var lines = bytes[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for index in lines.indices where lines[index].last == UInt8(ascii: "\r") { lines[index].removeLast() }
        let words = lines[0].split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard words.count == 3, words[2].elementsEqual("HTTP/1.1".utf8) || words[2].elementsEqual("HTTP/1.0".utf8) else { throw .malformed }
        try checkHeaders(lines.dropFirst(), for: redirectURI)
        guard words[0].elementsEqual("GET".utf8) else { throw .otherMethod }
        if let start, let asked = Text(validating: words[1]), equalInConstantTime(asked, start) { return .start }
        let target = words[1].split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = target.first, path.elementsEqual(redirectURI.path.utf8) else { throw .otherPath }
        guard target.count == 2, !target[1].isEmpty else { throw .withoutQuery }
        return .answer(try CallbackQuery(parsing: target[1]))
    }

    /// Whether the answer to these bytes must have no body (RFC 9110 section 9.3.2).
    static func isHead(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: "HEAD ".utf8)
    }

    /// One `Host`, and it is ours (a page of another site that resolves to loopback sends another); no body.
    private static func checkHeaders(_ lines: some Collection<ArraySlice<UInt8>>, for redirectURI: RedirectURI) throws(StrayRequest) {
        var hosts: [Text] = []
        for line in lines {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), let name = Text(validating: line[..<colon]), !name.isEmpty,
                name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
            else { throw .malformed }
            let value = trimmed(line[(colon + 1)...])
            if name.equalsIgnoringASCIICase("host") {
                guard let host = Text(validating: value) else { throw .otherHost }
                hosts.append(host)
            } else if name.equalsIgnoringASCIICase("transfer-encoding") {
                throw .otherMethod
            } else if name.equalsIgnoringASCIICase("content-length"), !value.elementsEqual("0".utf8) {
                throw .otherMethod
            }
        }
        let allowed = ["localhost", "127.0.0.1", "[::1]"].map { Text("\($0):\(redirectURI.port)") }
        guard hosts.count == 1, allowed.contains(where: hosts[0].equalsIgnoringASCIICase) else { throw .otherHost }
    }

    /// The index of the line feed that ends the last header line.
    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        var lineIsEmpty = false
        for (index, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "\n") {
                if lineIsEmpty {
                    // The empty line and the line feed before it, with or without carriage returns.
                    let isCarriageReturn = index > 0 && bytes[index - 1] == UInt8(ascii: "\r")
                    return index - (isCarriageReturn ? 2 : 1)
                }
                lineIsEmpty = true
            } else if byte != UInt8(ascii: "\r") {
                lineIsEmpty = false
            }
        }
        return nil
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes
        while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
        return bytes
    }
}
