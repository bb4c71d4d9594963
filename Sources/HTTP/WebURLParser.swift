import Vocabulary

/// Reads a `WebURL` from left to right. Every character is either expected where it stands or the URL is refused.
struct WebURLParser {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    func parse() throws(WebURLError) -> WebURL {
        guard bytes.count <= WebURL.maximumLength else { throw .tooLong }
        guard bytes.allSatisfy({ $0 < 0x80 }) else { throw .notASCII }
        let (scheme, rest) = try splitScheme()
        guard !rest.contains(UInt8(ascii: "#")) else { throw .fragment }
        let authorityEnd = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        let authority = rest[..<authorityEnd]
        guard !authority.contains(UInt8(ascii: "@")) else { throw .userInformation }
        let (host, port) = try parse(authority: authority)
        if scheme == .http && !host.isLoopbackByName { throw .plainHTTP }

        let tail = rest[authorityEnd...]
        guard tail.allSatisfy(isPathOrQueryCharacter) else { throw .forbiddenCharacter }
        try checkPercentEncoding(tail)
        let queryStart = tail.firstIndex(of: UInt8(ascii: "?")) ?? tail.endIndex
        let path = tail[..<queryStart]
        guard !hasDotSegment(path) else { throw .dotSegment }
        return WebURL(
            scheme: scheme, host: host, port: port ?? (scheme == .https ? 443 : 80), path: text(path),
            query: queryStart == tail.endIndex ? nil : text(tail[(queryStart + 1)...]), text: text(bytes[...]))
    }

    private func splitScheme() throws(WebURLError) -> (WebURL.Scheme, ArraySlice<UInt8>) {
        for scheme in [WebURL.Scheme.https, .http] {
            let prefix = Array((scheme.rawValue + "://").utf8)
            if bytes.starts(with: prefix) { return (scheme, bytes[prefix.count...]) }
        }
        throw .notHTTPS
    }

    private func parse(authority: ArraySlice<UInt8>) throws(WebURLError) -> (Host, UInt16?) {
        var hostEnd = authority.firstIndex(of: UInt8(ascii: ":")) ?? authority.endIndex
        if authority.first == UInt8(ascii: "[") {
            guard let bracket = authority.firstIndex(of: UInt8(ascii: "]")) else { throw .host }
            hostEnd = bracket + 1
        }
        guard let host = Host(text(authority[..<hostEnd])) else { throw .host }
        let rest = authority[hostEnd...]
        guard let colon = rest.first else { return (host, nil) }
        guard colon == UInt8(ascii: ":") else { throw .host }
        let digits = rest.dropFirst()
        guard (1...5).contains(digits.count), digits.allSatisfy(isDigit), digits.first != UInt8(ascii: "0"),
            let port = UInt16(text(digits))
        else { throw .port }
        return (host, port)
    }

    private func checkPercentEncoding(_ part: ArraySlice<UInt8>) throws(WebURLError) {
        for index in part.indices where part[index] == UInt8(ascii: "%") {
            guard part.endIndex - index > 2, isHexDigit(part[index + 1]), isHexDigit(part[index + 2]) else {
                throw .percentEncoding
            }
        }
    }

    /// Also where the dots are written `%2e`, which some servers and proxies decode first.
    private func hasDotSegment(_ path: ArraySlice<UInt8>) -> Bool {
        path.split(separator: UInt8(ascii: "/")).contains { segment in
            let decoded = text(segment).lowercased()
            var dots = 0
            var rest = Substring(decoded)
            while !rest.isEmpty {
                if rest.hasPrefix(".") {
                    rest = rest.dropFirst()
                } else if rest.hasPrefix("%2e") {
                    rest = rest.dropFirst(3)
                } else {
                    return false
                }
                dots += 1
            }
            return dots == 1 || dots == 2
        }
    }

    private func text(_ part: ArraySlice<UInt8>) -> String { String(decoding: part, as: UTF8.self) }
}

/// RFC 3986 sections 3.3 and 3.4: unreserved, sub-delims, `:` `@` `/` `?` and the `%` of an escape.
private func isPathOrQueryCharacter(_ byte: UInt8) -> Bool {
    isLetter(byte) || isDigit(byte) || "-._~!$&'()*+,;=:@/?%".utf8.contains(byte)
}

func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) }
func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
func isHexDigit(_ byte: UInt8) -> Bool { isDigit(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte) }
