import Vocabulary

/// What a person pastes: the address at which the browser ended, and in it the provider's answer.
enum PastedAnswer {
    enum Fault: Error, Equatable {
        case empty
        /// Another address, or none.
        case elsewhere
        case stray(StrayRequest)
    }

    /// - Parameters:
    ///   - redirectURI: where the provider was told to send the browser; the address must be this, a `?` and the answer (C15, C16).
    ///   - takesQuery: whether the answer alone will do, as a page of somebody else's may show it.
    static func read(_ line: [UInt8], endingAt redirectURI: Text, takesQuery: Bool, state: Text) throws(Fault) -> CallbackQuery {
        var bytes = trimmed(line)[...]
        guard !bytes.isEmpty else { throw .empty }
        // More than one line was pasted, whatever the first is: the rest may hide behind a `#`.
        guard !bytes.contains(0x0A) else { throw .elsewhere }
        // Some providers hang a fragment on; nothing of an answer is in it.
        bytes = bytes.prefix { $0 != UInt8(ascii: "#") }
        if bytes.starts(with: redirectURI.utf8) {
            bytes = bytes.dropFirst(redirectURI.count)
            if bytes.isEmpty { throw .stray(.withoutQuery) }
            guard bytes.first == UInt8(ascii: "?") else { throw .elsewhere }
        } else {
            guard takesQuery, isQuery(bytes) else { throw .elsewhere }
        }
        if bytes.first == UInt8(ascii: "?") { bytes = bytes.dropFirst() }
        guard !bytes.isEmpty else { throw .stray(.withoutQuery) }
        do throws(StrayRequest) {
            let query = try CallbackQuery(parsing: bytes)
            guard equalInConstantTime(query.state, state) else { throw .otherState }
            return query
        } catch {
            throw .stray(error)
        }
    }

    private static func isQuery(_ bytes: ArraySlice<UInt8>) -> Bool {
        let names = ["code=", "error=", "state=", "iss="]
        let query = bytes.first == UInt8(ascii: "?") ? bytes.dropFirst() : bytes
        return names.contains { query.starts(with: $0.utf8) }
    }

    /// Without white space around it, nor what a terminal puts around a paste (bracketed paste).
    private static func trimmed(_ line: [UInt8]) -> [UInt8] {
        var bytes = line[...]
        for mark in ["\u{1B}[200~", "\u{1B}[201~"] {
            if bytes.starts(with: mark.utf8) { bytes = bytes.dropFirst(mark.utf8.count) }
            if bytes.reversed().starts(with: mark.utf8.reversed()) { bytes = bytes.dropLast(mark.utf8.count) }
        }
        let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A }
        while let last = bytes.last, isSpace(last) { bytes.removeLast() }
        return Array(bytes.drop(while: isSpace))
    }
}

extension PastedAnswer.Fault {
    /// For the person who pasted it; the paste itself is not repeated.
    func explanation(_ redirectURI: Text) -> String {
        switch self {
        case .empty: "Nothing was pasted."
        case .elsewhere: "It should be the address that begins with \(redirectURI.escaped(limit: 200))? and this is another."
        case .stray(.withoutQuery): "The address carries no answer: copy it whole, with everything behind the question mark."
        case .stray(.withoutState): "The address does not say which login it belongs to: copy it whole."
        case .stray(.otherState): "The address belongs to another login than this one: open the address above, and log in there."
        case .stray(let stray): stray.explanation
        }
    }
}
