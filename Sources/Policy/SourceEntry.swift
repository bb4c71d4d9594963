import Vocabulary

extension SourceList.Entry {
    /// One entry, which may begin with `!`.
    init(_ entry: ArraySlice<UInt8>) throws(RowFault) {
        let isNegated = entry.first == UInt8(ascii: "!")
        let bytes = isNegated ? entry.dropFirst() : entry
        if bytes.isEmpty { throw RowFault("from has an empty entry") }
        guard let text = Text(validating: bytes) else { throw RowFault("from is not UTF-8") }
        if bytes.count > SourceList.longestEntry { throw RowFault("from has an entry of more than \(SourceList.longestEntry) bytes") }
        if let block = AddressBlock(text) {
            self.init(isNegated: isNegated, what: .block(block))
        } else if bytes.contains(UInt8(ascii: "/")) {
            throw RowFault("\(text) is not a block of addresses (ADDRESS/LENGTH, all bits behind the prefix 0)")
        } else {
            guard bytes.allSatisfy({ SourceList.Entry.isPatternCharacter($0) }) else {
                throw RowFault("\(text) has a character that neither an address, a host name nor a pattern has")
            }
            // sshd reads 10.1 as 10.0.0.1 and 010 as 8: what looks like an address but is none is a slip.
            if SourceList.Entry.looksLikeAddress(bytes) { throw RowFault("\(text) is not an address") }
            var pattern: [UInt8] = []
            for byte in text.lowercasedASCII.utf8 where byte != UInt8(ascii: "*") || pattern.last != byte { pattern.append(byte) }
            self.init(isNegated: isNegated, what: .pattern(Text(validating: pattern) ?? text))
        }
    }

    private static func isPatternCharacter(_ byte: UInt8) -> Bool {
        byte >= 0x41 && (0x61...0x7A).contains(byte | 0x20) || (0x30...0x3A).contains(byte) || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: "*") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }

    /// No wildcard, and a colon or a number as the last label, which no host name has.
    private static func looksLikeAddress(_ bytes: ArraySlice<UInt8>) -> Bool {
        if bytes.contains(UInt8(ascii: "*")) || bytes.contains(UInt8(ascii: "?")) { return false }
        if bytes.contains(UInt8(ascii: ":")) { return true }
        let start = (bytes.lastIndex(of: UInt8(ascii: ".")) ?? bytes.startIndex - 1) + 1
        let label = bytes[start...]
        guard let first = label.first, (0x30...0x39).contains(first) else { return false }
        let isHexadecimal = first == 0x30 && label.dropFirst().first.map { $0 | 0x20 } == UInt8(ascii: "x")
        return label.dropFirst(isHexadecimal ? 2 : 0).allSatisfy {
            (0x30...0x39).contains($0) || isHexadecimal && (0x61...0x66).contains($0 | 0x20)
        }
    }
}

extension SourceList.Kind {
    /// Nil where a host's name could match. `written` is the address as sshd has it.
    func matches(_ address: NetworkAddress, _ written: Text) -> Bool? {
        switch self {
        case .block(let block): return block.contains(address)
        case .pattern(let pattern):
            if SourceList.Kind.matches(pattern.utf8, written.utf8) { return true }
            // No host's name has a colon.
            return pattern.contains(UInt8(ascii: ":")) ? false : nil
        }
    }

    /// Whether it surely matches all that `other` does.
    func includes(_ other: SourceList.Kind) -> Bool {
        if self == other || self == .pattern("*") { return true }
        guard case .block(let block) = self, case .block(let inner) = other else { return false }
        return block.contains(inner)
    }

    /// `*` is any characters and `?` one. Going back to the last star is enough: what stood before it matched as early as it could.
    private static func matches(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
        var (element, position) = (0, 0)
        var retry: (element: Int, position: Int)?
        while position < text.count || element < pattern.count {
            if element < pattern.count {
                if pattern[element] == UInt8(ascii: "*") {
                    retry = (element, position + 1)
                    element += 1
                    continue
                }
                if position < text.count && (pattern[element] == UInt8(ascii: "?") || pattern[element] == text[position]) {
                    element += 1
                    position += 1
                    continue
                }
            }
            guard let last = retry, last.position <= text.count else { return false }
            (element, position) = last
        }
        return true
    }
}
