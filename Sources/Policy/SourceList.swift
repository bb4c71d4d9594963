public import Vocabulary

/// The addresses and hosts from which a login may come: the value of sshd's `from="…"` (sshd(8), AUTHORIZED_KEYS FORMAT; ssh_config(5), PATTERNS).
///
/// Entries with commas between: a block of addresses, or a pattern with `*` and `?` for host names and for addresses as they are written; `!`
/// before an entry refuses what it matches, whatever else does. sshd compares a pattern with the client's address and, where it looks
/// host names up (UseDNS), with its name, which is not known here.
public struct SourceList: Hashable, Sendable {
    let entries: [Entry]

    struct Entry: Hashable, Sendable {
        var isNegated = false
        let what: Kind
    }

    enum Kind: Hashable, Sendable {
        case block(AddressBlock)
        /// In lower case.
        case pattern(Text)
    }

    /// sshd's own limit for an entry is 1023 bytes; no host name has more than 253.
    static let longestEntry = 255
    static let longest = 8192

    init(_ text: Text) throws(RowFault) {
        if text.count > SourceList.longest { throw RowFault("from is longer than \(SourceList.longest) bytes") }
        var entries: [Entry] = []
        for part in text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            entries.append(try Entry(part))
        }
        if entries.allSatisfy(\.isNegated) { throw RowFault("from has only entries with !, so it would admit nobody") }
        self.entries = entries
    }

    /// From nowhere, if there are none.
    public init(blocks: [AddressBlock]) {
        self.init(entries: blocks.map { Entry(what: .block($0)) })
    }

    private init(entries: [Entry]) { self.entries = entries }

    /// Whether sshd would admit this client; nil where that depends on its host's name. (An address with a scope, `fe80::1%eth0`, is for sshd in no
    /// block at all; here it is in that of its address.)
    public func admits(_ address: NetworkAddress) -> Bool? {
        let written = Text("\(address)")
        var isMatched = false
        var mayBeMatched = false
        var mayBeRefused = false
        for entry in entries {
            switch (entry.what.matches(address, written), entry.isNegated) {
            case (true, true): return false
            case (true, false): isMatched = true
            case (nil, true): mayBeRefused = true
            case (nil, false): mayBeMatched = true
            case (false, _): break
            }
        }
        guard isMatched || mayBeMatched else { return false }
        return isMatched && !mayBeRefused ? true : nil
    }

    /// What two lists have in common.
    public enum Intersection: Hashable, Sendable {
        case list(SourceList)
        /// Nobody is in both.
        case empty
        /// One of them has patterns, and no list says what is in both.
        case inexpressible
    }

    public func intersection(with blocks: [AddressBlock]) -> Intersection { intersection(with: SourceList(blocks: blocks)) }

    /// What either refuses is refused; else what both admit is admitted.
    public func intersection(with other: SourceList) -> Intersection {
        let negated = (entries + other.entries).filter(\.isNegated)
        let common: [Entry]
        if admitsEverything {
            common = other.entries.filter { !$0.isNegated }
        } else if other.admitsEverything {
            common = entries.filter { !$0.isNegated }
        } else {
            guard let mine = admittedBlocks, let theirs = other.admittedBlocks else { return .inexpressible }
            common = SourceList.common(mine, theirs).map { Entry(what: .block($0)) }
        }
        let left = common.filter { entry in !negated.contains { $0.what.includes(entry.what) } }
        return left.isEmpty ? .empty : .list(SourceList(entries: negated + left))
    }

    /// Nil where a pattern admits too.
    private var admittedBlocks: [AddressBlock]? {
        var blocks: [AddressBlock] = []
        for entry in entries where !entry.isNegated {
            guard case .block(let block) = entry.what else { return nil }
            blocks.append(block)
        }
        return blocks
    }

    private var admitsEverything: Bool { entries.contains { !$0.isNegated && $0.what == .pattern("*") } }

    /// None of them within another.
    private static func common(_ left: [AddressBlock], _ right: [AddressBlock]) -> [AddressBlock] {
        var common: [AddressBlock] = []
        for one in left {
            for other in right {
                guard let both = one.intersection(other), !common.contains(where: { $0.contains(both) }) else { continue }
                common.removeAll { both.contains($0) }
                common.append(both)
            }
        }
        return common
    }
}

extension SourceList: CustomStringConvertible {
    /// What stands between the quotes of `from="…"`: only letters, digits and `.:/*?_-!,`. A list that admits nobody is `!*`, which says so to sshd.
    public var description: String {
        if entries.isEmpty { return "!*" }
        var words: [String] = []
        for entry in entries {
            let what =
                switch entry.what {
                case .block(let block): "\(block)"
                case .pattern(let pattern): "\(pattern)"
                }
            words.append((entry.isNegated ? "!" : "") + what)
        }
        return words.joined(separator: ",")
    }
}
