import Vocabulary

/// What may stand in an issuer column (OpenID Connect Discovery 1.0 section 4.1; C41): an absolute https URL with a host, perhaps a port
/// and a path, and nothing else. http only where the whole host is a loopback one. It is kept as written and compared byte by byte.
enum IssuerURL {
    static func check(_ text: Text) throws(RowFault) {
        let bytes = text.utf8[...]
        let afterScheme: ArraySlice<UInt8>
        let isPlain: Bool
        if text.hasPrefix("https://") {
            (afterScheme, isPlain) = (bytes.dropFirst(8), false)
        } else if text.hasPrefix("http://") {
            (afterScheme, isPlain) = (bytes.dropFirst(7), true)
        } else {
            throw RowFault("the issuer \(text) does not begin with https://")
        }
        guard bytes.allSatisfy({ isURLCharacter($0) }) else { throw RowFault("the issuer \(text) has a character that no URL has") }
        if bytes.contains(UInt8(ascii: "?")) { throw RowFault("the issuer \(text) has a query") }
        if bytes.contains(UInt8(ascii: "#")) { throw RowFault("the issuer \(text) has a fragment") }
        let authority = afterScheme.prefix { $0 != UInt8(ascii: "/") }
        if authority.contains(UInt8(ascii: "@")) { throw RowFault("the issuer \(text) has a user name") }
        guard let host = host(of: authority) else { throw RowFault("the issuer \(text) has no proper host and port") }
        if isPlain && !loopbackHosts.contains(host) { throw RowFault("the issuer \(text) is http, which only loopback hosts may be") }
        try checkPath(afterScheme.dropFirst(authority.count), text)
    }

    private static let loopbackHosts: [[UInt8]] = ["localhost", "127.0.0.1", "[::1]"].map { Array($0.utf8) }

    private static let forbidden = Array("\"<>\\^`{|}".utf8)

    /// RFC 3986 section 2, without what only a broken reader would let through.
    private static func isURLCharacter(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && !forbidden.contains(byte)
    }

    /// The host, in brackets where it is an IPv6 address (without zone); nil unless host and port are well-formed.
    private static func host(of authority: ArraySlice<UInt8>) -> [UInt8]? {
        var host = authority
        var port: ArraySlice<UInt8>?
        let colon = authority.lastIndex(of: UInt8(ascii: ":"))
        if let colon, authority.last != UInt8(ascii: "]") {
            (host, port) = (authority[..<colon], authority[(colon + 1)...])
        }
        if let port {
            guard (1...5).contains(port.count), port.allSatisfy({ isDigit($0) }),
                let number = Int(String(decoding: port, as: UTF8.self)), (1...65_535).contains(number)
            else { return nil }
        }
        if host.first == UInt8(ascii: "[") {
            let inside = host.dropFirst().dropLast()
            guard host.last == UInt8(ascii: "]"), inside.count >= 2, inside.contains(UInt8(ascii: ":")),
                inside.allSatisfy({ isHexadecimal($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") })
            else { return nil }
        } else {
            guard !host.isEmpty, host.first != UInt8(ascii: "."), host.allSatisfy({ isHostCharacter($0) }) else { return nil }
        }
        return Array(host)
    }

    /// No `.` or `..` segments, however written: a fetcher would resolve them and ask at another place than the one that is named.
    private static func checkPath(_ path: ArraySlice<UInt8>, _ text: Text) throws(RowFault) {
        for segment in path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            if isDots(segment) { throw RowFault("the issuer \(text) has . or .. in its path") }
        }
    }

    /// One or two full stops, each written as `.` or `%2e`.
    private static func isDots(_ segment: ArraySlice<UInt8>) -> Bool {
        var rest = segment
        var dots = 0
        while let first = rest.popFirst() {
            if first == UInt8(ascii: "%"), rest.count >= 2,
                rest.prefix(2).elementsEqual([0x32, 0x45]) || rest.prefix(2).elementsEqual([0x32, 0x65])
            {
                rest.removeFirst(2)
            } else if first != UInt8(ascii: ".") {
                return false
            }
            dots += 1
        }
        return dots == 1 || dots == 2
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isHexadecimal(_ byte: UInt8) -> Bool { isDigit(byte) || (0x61...0x66).contains(byte | 0x20) }
    private static func isHostCharacter(_ byte: UInt8) -> Bool {
        isDigit(byte) || (0x61...0x7A).contains(byte | 0x20) && byte >= 0x41 || byte == 0x2D || byte == 0x2E || byte == 0x5F
    }
}
