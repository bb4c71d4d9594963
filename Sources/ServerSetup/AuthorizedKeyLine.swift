import SSHKeys
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A line of authorized_keys as sshd reads it (sshd(8), AUTHORIZED_KEYS FILE FORMAT): options, where there are any, the key's type, and the key in base64.
struct AuthorizedKeyLine {
    /// `ssh-ed25519`
    let type: String
    /// Bits of an RSA modulus; nil for another type.
    let rsaBits: Int?
    private let options: [Option]

    private struct Option {
        /// In lower case.
        let name: String
        let value: String?
    }

    /// Those that OpenSSH knows; another one makes it refuse the key.
    private static let flags: Set<String> = [
        "agent-forwarding", "cert-authority", "no-agent-forwarding", "no-port-forwarding", "no-pty", "no-touch-required", "no-user-rc",
        "no-x11-forwarding", "port-forwarding", "pty", "restrict", "user-rc", "verify-required", "x11-forwarding",
    ]
    private static let settings: Set<String> = [
        "command", "environment", "expiry-time", "from", "permitlisten", "permitopen", "principals", "tunnel",
    ]

    /// Nil for a comment, and for what sshd does not take for a key.
    init?(_ line: some Collection<UInt8>) {
        var rest = Array(line)[...].drop(while: AuthorizedKeyLine.isBlank)
        guard let first = rest.first, first != UInt8(ascii: "#") else { return nil }
        if let key = AuthorizedKeyLine.key(rest) {
            (type, rsaBits, options) = (key.type, key.rsaBits, [])
            return
        }
        guard let options = AuthorizedKeyLine.options(&rest), let key = AuthorizedKeyLine.key(rest.drop(while: AuthorizedKeyLine.isBlank))
        else { return nil }
        (type, rsaBits, self.options) = (key.type, key.rsaBits, options)
    }

    /// Whether whoever has the key gets a shell with it: it is no authority's, its time is not over, and no command is forced.
    func givesShell(at now: UnixTime) -> Bool {
        options.allSatisfy { option in
            switch option.name {
            case "cert-authority", "command": false
            case "expiry-time": option.value.flatMap(AuthorizedKeyLine.time).map { now < $0 } ?? false
            default: true
            }
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

    // MARK: The key

    private static func key(_ text: ArraySlice<UInt8>) -> (type: String, rsaBits: Int?)? {
        let words = text.split(maxSplits: 2, whereSeparator: isBlank)
        guard words.count >= 2, let blob = Base64.decode(Array(words[1])) else { return nil }
        let type = String(decoding: words[0], as: UTF8.self)
        var reader = SSHReader(blob)
        do throws(SSHFormatError) {
            guard try reader.string().elementsEqual(words[0]) else { return nil }
            var bits: Int?
            switch type {
            case "ssh-rsa":
                _ = try reader.positiveNumber()
                let modulus = try reader.positiveNumber().drop { $0 == 0 }
                bits = modulus.count * 8 - (modulus.first?.leadingZeroBitCount ?? 0)
            case "ssh-dss": for _ in 0..<4 { _ = try reader.positiveNumber() }
            case "ssh-ed25519", "sk-ssh-ed25519@openssh.com":
                guard try reader.string().count == 32 else { return nil }
                if type.hasPrefix("sk-") { _ = try reader.string() }
            case "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "sk-ecdsa-sha2-nistp256@openssh.com":
                guard try type.contains(String(decoding: reader.string(), as: UTF8.self)), try !reader.string().isEmpty else { return nil }
                if type.hasPrefix("sk-") { _ = try reader.string() }
            default: return nil
            }
            try reader.end()
            return (type, bits)
        } catch {
            return nil
        }
    }

    // MARK: Options

    /// Up to the first blank that is not quoted; nil where sshd would not understand them.
    private static func options(_ rest: inout ArraySlice<UInt8>) -> [Option]? {
        var options: [Option] = []
        while true {
            let name = rest.prefix { $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "=") && !isBlank($0) }
            rest = rest[name.endIndex...]
            let text = Text(String(decoding: name, as: UTF8.self)).lowercasedASCII.string
            if rest.first == UInt8(ascii: "=") {
                rest = rest.dropFirst()
                guard settings.contains(text), let value = quoted(&rest) else { return nil }
                options.append(Option(name: text, value: value))
            } else {
                guard flags.contains(text) else { return nil }
                options.append(Option(name: text, value: nil))
            }
            guard let next = rest.first else { return nil }
            if isBlank(next) { return options }
            guard next == UInt8(ascii: ",") else { return nil }
            rest = rest.dropFirst()
        }
    }

    /// What stands in double quotes, in which `\"` is one of them.
    private static func quoted(_ rest: inout ArraySlice<UInt8>) -> String? {
        guard rest.popFirst() == UInt8(ascii: "\"") else { return nil }
        var value: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return String(decoding: value, as: UTF8.self) }
            let isEscape = byte == UInt8(ascii: "\\") && rest.first == UInt8(ascii: "\"")
            if isEscape { rest = rest.dropFirst() }
            value.append(isEscape ? UInt8(ascii: "\"") : byte)
        }
        return nil
    }

    /// YYYYMMDD[HHMM[SS]], of this machine's zone, or with a Z behind it.
    private static func time(_ text: String) -> UnixTime? {
        var digits = Array(text.utf8)
        let isUTC = digits.last == UInt8(ascii: "Z") || digits.last == UInt8(ascii: "z")
        if isUTC { digits.removeLast() }
        guard [8, 12, 14].contains(digits.count), digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        digits += [UInt8](repeating: 0x30, count: 14 - digits.count)
        let text = digits.map { String(UnicodeScalar($0)) }
        func number(_ start: Int, _ count: Int) -> String { text[start..<(start + count)].joined() }
        let date = "\(number(0, 4))-\(number(4, 2))-\(number(6, 2))"
        let time = "\(number(8, 2)):\(number(10, 2)):\(number(12, 2))"
        guard let utc = UnixTime(rfc3339: Text(date + "T" + time + "Z")) else { return nil }
        return isUTC ? utc : local(utc)
    }

    /// The moment at which this machine's clocks show what clocks of UTC show at that one.
    private static func local(_ utc: UnixTime) -> UnixTime? {
        var seconds = time_t(utc.seconds)
        // The name of a zone that it points to is the C library's and is not looked at.
        var parts = unsafe tm()
        guard unsafe gmtime_r(&seconds, &parts) != nil else { return nil }
        unsafe parts.tm_isdst = -1
        return UnixTime(seconds: Int64(unsafe mktime(&parts)))
    }
}
