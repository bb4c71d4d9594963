import Vocabulary

/// The three names of this machine for itself, as they stand in a URL or a Host header.
enum LoopbackHost: Sendable, CaseIterable {
    case name
    case ip4
    case ip6

    var text: Text {
        switch self {
        case .name: "localhost"
        case .ip4: "127.0.0.1"
        case .ip6: "[::1]"
        }
    }

    /// A whole `host` or `host:port`; nil for anything else.
    init?(authority: Text) {
        for host in LoopbackHost.allCases where authority.hasPrefix(host.text) {
            let rest = authority.utf8.dropFirst(host.text.count)
            if rest.isEmpty || LoopbackHost.isPort(rest) {
                self = host
                return
            }
        }
        return nil
    }

    /// `:` and 1 to 65535.
    private static func isPort(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.first == UInt8(ascii: ":"), (2...6).contains(text.count) else { return false }
        guard text.dropFirst().allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return false }
        return (UInt16(String(decoding: text.dropFirst(), as: UTF8.self)) ?? 0) > 0
    }
}
