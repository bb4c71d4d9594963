import Vocabulary

/// The head of one HTTP/1 request to a listener of ours on loopback (RFC 9112), as far as it matters there.
struct RequestHead {
    let method: [UInt8]
    /// As it stands in the request line.
    let target: [UInt8]
    /// `Sec-Fetch-Site` of the Fetch Metadata draft: where the page lies that caused the request. Nil where the browser does not say.
    private(set) var fetchSite: Text?
    /// Whether the browser only prepares for what a person might do (`Sec-Purpose`, `Purpose`).
    private(set) var isSpeculative = false

    /// Bytes of a request head, query included. A code is some 2 KiB at most among the large providers.
    static let limit = 32 * 1024

    /// Nil while the head is not complete. `port`: the one that is bound.
    static func read(_ bytes: [UInt8], port: UInt16) throws(StrayRequest) -> RequestHead? {
        guard let end = endOfHead(bytes) else {
            guard bytes.count < limit else { throw .tooLarge }
            return nil
        }
        guard end <= limit else { throw .tooLarge }
        var lines = bytes[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for index in lines.indices where lines[index].last == UInt8(ascii: "\r") { lines[index].removeLast() }
        let words = lines[0].split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard words.count == 3, words[2].elementsEqual("HTTP/1.1".utf8) || words[2].elementsEqual("HTTP/1.0".utf8) else { throw .malformed }
        var head = RequestHead(method: Array(words[0]), target: Array(words[1]))
        try head.readFields(lines.dropFirst(), port: port)
        return head
    }

    private init(method: [UInt8], target: [UInt8]) {
        self.method = method
        self.target = target
    }

    var isGet: Bool { method.elementsEqual("GET".utf8) }

    /// Whether the answer to these bytes must have no body (RFC 9110 section 9.3.2).
    static func isHead(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: "HEAD ".utf8)
    }

    /// One `Host`, and it is ours (a page of another site that resolves to loopback sends another); no body.
    private mutating func readFields(_ lines: some Collection<ArraySlice<UInt8>>, port: UInt16) throws(StrayRequest) {
        var hosts: [Text] = []
        for line in lines {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), let name = Text(validating: line[..<colon]), !name.isEmpty,
                name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
            else { throw .malformed }
            let value = RequestHead.trimmed(line[(colon + 1)...])
            if name.equalsIgnoringASCIICase("host") {
                guard let host = Text(validating: value) else { throw .otherHost }
                hosts.append(host)
            } else if name.equalsIgnoringASCIICase("transfer-encoding") {
                throw .otherMethod
            } else if name.equalsIgnoringASCIICase("content-length"), !value.elementsEqual("0".utf8) {
                throw .otherMethod
            } else if name.equalsIgnoringASCIICase("sec-fetch-site") {
                // Said twice, or not in UTF-8: nobody's.
                fetchSite = fetchSite == nil ? Text(validating: value) ?? "" : ""
            } else if name.equalsIgnoringASCIICase("sec-purpose") || name.equalsIgnoringASCIICase("purpose") {
                isSpeculative = true
            }
        }
        let allowed = ["localhost", "127.0.0.1", "[::1]"].map { Text("\($0):\(port)") }
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
