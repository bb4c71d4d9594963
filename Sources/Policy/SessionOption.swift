public import Vocabulary

/// An option of a row that is sshd's own (sshd(8), AUTHORIZED_KEYS FILE FORMAT), for the line that is printed. What sshd would not take is refused
/// here: it would drop the whole line, and nobody would be told.
public struct SessionOption: Hashable, Sendable {
    /// In lower case; sshd does not look at the case.
    public let name: Text
    /// Nil for a flag.
    public let value: Text?

    /// Nil where sshd has no such option, or it is not one that a row may set.
    init?(_ option: OptionList.Option) throws(RowFault) {
        if SessionOption.flags.contains(option.name) {
            try OptionList.flag(option)
            self.init(name: option.name, value: nil)
            return
        }
        switch option.name {
        case "command": break
        case "permitopen": try SessionOption.checkPermit(option, hostMayBeAbsent: false)
        case "permitlisten": try SessionOption.checkPermit(option, hostMayBeAbsent: true)
        case "environment": try SessionOption.checkVariable(option)
        default: return nil
        }
        let value = try OptionList.value(option)
        // sshd takes `\"` for a quote and every other backslash for itself, so this one would take the closing quote away.
        if value.hasSuffix("\\") { throw RowFault("the value of \(option.name) ends with a backslash, which sshd cannot read") }
        self.init(name: option.name, value: value)
    }

    private init(name: Text, value: Text?) {
        self.name = name
        self.value = value
    }

    /// `restrict`, and the pairs of which sshd knows each with `no-`.
    private static let flags: [Text] = [
        "restrict", "pty", "no-pty", "port-forwarding", "no-port-forwarding", "agent-forwarding", "no-agent-forwarding", "x11-forwarding",
        "no-x11-forwarding", "user-rc", "no-user-rc",
    ]

    func contradicts(_ other: SessionOption) -> Bool {
        name == Text("no-" + other.name.string) || other.name == Text("no-" + name.string)
    }

    /// `HOST:PORT`, the port from 1 to 65535 or `*`; IPv6 addresses in brackets.
    private static func checkPermit(_ option: OptionList.Option, hostMayBeAbsent: Bool) throws(RowFault) {
        let value = try OptionList.value(option)
        let bytes = value.utf8
        let colon = bytes.lastIndex(of: UInt8(ascii: ":"))
        let host = colon.map { bytes[..<$0] } ?? []
        let port = colon.map { bytes[($0 + 1)...] } ?? bytes[...]
        let number = Int(String(decoding: port, as: UTF8.self))
        let isPort =
            port.elementsEqual([UInt8(ascii: "*")])
            || port.allSatisfy { (0x30...0x39).contains($0) } && number.map { (1...65_535).contains($0) } == true
        guard isPort, hostMayBeAbsent && colon == nil || isHost(host) else {
            throw RowFault("\(option.name)=\"\(value)\" has not the form \(hostMayBeAbsent ? "[HOST:]PORT" : "HOST:PORT")")
        }
    }

    /// A name, an IPv4 address or a pattern, without what sshd takes for the host's end; or an IPv6 address in brackets.
    private static func isHost(_ host: ArraySlice<UInt8>) -> Bool {
        if host.first == UInt8(ascii: "["), host.last == UInt8(ascii: "]") {
            return host.count > 2 && host.dropFirst().dropLast().allSatisfy { isHostCharacter($0) || $0 == UInt8(ascii: ":") }
        }
        return !host.isEmpty && host.allSatisfy(isHostCharacter)
    }

    private static func isHostCharacter(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && !"\"\\,:/[]".utf8.contains(byte)
    }

    /// `NAME=value`; sshd takes letters, digits and `_` for a name.
    private static func checkVariable(_ option: OptionList.Option) throws(RowFault) {
        let value = try OptionList.value(option)
        let name = value.utf8.prefix { $0 != UInt8(ascii: "=") }
        let isName = name.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x5F
        }
        guard !name.isEmpty, name.count < value.count, isName else {
            throw RowFault("environment=\"\(value)\" has not the form NAME=value")
        }
    }
}

extension SessionOption: CustomStringConvertible {
    /// As authorized_keys has it: a flag, or a name and a value in which quotes are escaped.
    public var description: String { OptionList.written(name, value) }
}
