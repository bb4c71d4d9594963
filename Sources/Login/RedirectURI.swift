import Vocabulary

/// Where the provider sends the browser back to: `http://HOST:PORT/PATH`, and HOST is this machine (RFC 8252 section 7.3).
///
/// Only literal loopback addresses are ever bound; the name `localhost` stands for both of them.
public struct RedirectURI: Hashable, Sendable {
    public enum Host: String, Sendable {
        case localhost
        case ipv4 = "127.0.0.1"
        case ipv6 = "[::1]"
    }

    public let host: Host
    /// 0: any free port, for a provider that ignores the port as RFC 8252 section 7.3 asks of it.
    public let port: UInt16
    /// Begins with `/`; unreserved characters and `/` only, no `.` or `..` between them.
    public let path: String

    /// Throws unless the text has exactly that form: no user name, query or fragment, and a port.
    public init(_ text: String) throws(LoginError) {
        let scheme = "http://"
        guard text.utf8.starts(with: scheme.utf8), let slash = text.utf8.dropFirst(scheme.utf8.count).firstIndex(of: UInt8(ascii: "/"))
        else { throw .redirectURI(Text(text)) }
        let authority = text[text.utf8.index(text.startIndex, offsetBy: scheme.utf8.count)..<slash]
        guard let colon = authority.lastIndex(of: ":"), let host = Host(rawValue: String(authority[..<colon])) else {
            throw .redirectURI(Text(text))
        }
        let digits = authority[authority.index(after: colon)...]
        let path = text[slash...]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits), path.utf8.allSatisfy(RedirectURI.isPath)
        else { throw .redirectURI(Text(text)) }
        // A browser would take them away (RFC 3986 section 5.2.4) and ask for another path.
        guard !path.utf8.split(separator: UInt8(ascii: "/")).contains(where: { $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) })
        else { throw .redirectURI(Text(text)) }
        self.init(host: host, port: port, path: String(path))
    }

    init(host: Host, port: UInt16, path: String) {
        self.host = host
        self.port = port
        self.path = path
    }

    func with(port: UInt16) -> RedirectURI {
        RedirectURI(host: host, port: port, path: path)
    }

    public var text: String { "http://\(host.rawValue):\(port)\(path)" }

    /// The ones that opkssh's users have registered with their providers.
    public static let usual: [RedirectURI] = [3000, 10001, 11110].map {
        RedirectURI(host: .localhost, port: $0, path: "/login-callback")
    }

    private static func isPath(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
        default: false
        }
    }
}
