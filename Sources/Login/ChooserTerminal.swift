import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Asks which provider in the terminal: a numbered list, and one line for an answer.
struct ChooserTerminal {
    private let descriptor: Int32

    /// Wrong ones among them.
    static let mostAnswers = 5

    /// Standard input, unless a test says otherwise.
    init(reading descriptor: Int32 = STDIN_FILENO) {
        self.descriptor = descriptor
    }

    /// The place of the provider in the list. Where nobody can be asked, the error names the aliases.
    func choice(among providers: [ProviderConfig], before deadline: UnixTime, tell: (String) -> Void) throws(LoginError) -> Int {
        let aliases = providers.flatMap(\.aliases)
        guard isatty(descriptor) == 1 else { throw .noProvider(aliases: aliases) }
        tell("Where do you log in?")
        let names = providers.map { ChooserPage.name(of: $0).escaped(limit: 60) }
        let width = names.map(\.count).max() ?? 0
        for (index, (name, place)) in zip(names, ChooserPage.places(of: providers)).enumerated() {
            let number = String(repeating: " ", count: index < 9 ? 1 : 0) + "\(index + 1)"
            tell("\(number)  \(name)\(String(repeating: " ", count: width - name.count))  \(place.escaped(limit: 120))")
        }
        tell("Type a number or a name, then Enter:")
        var unread: [UInt8] = []
        for left in (0..<ChooserTerminal.mostAnswers).reversed() {
            guard let answer = try line(&unread, before: deadline, aliases: aliases) else { break }
            if let index = ChooserTerminal.index(of: answer, in: providers) { return index }
            guard left > 0 else { throw answer.isEmpty ? .noProvider(aliases: aliases) : .unknownAlias(answer, known: aliases) }
            // What was typed is on the screen; it may be a whole provider with a secret, and is not repeated.
            tell("That is none of them. Type a number from 1 to \(providers.count), or a name, then Enter:")
        }
        throw .noProvider(aliases: aliases)
    }

    /// Of the number, counted from 1, or the alias.
    private static func index(of answer: Text, in providers: [ProviderConfig]) -> Int? {
        if let number = Int(answer.string), providers.indices.contains(number - 1) { return number - 1 }
        return providers.firstIndex { $0.aliases.contains { Text($0) == answer } }
    }

    /// One line without white space at its ends, 1 KiB at most; nil where the terminal was closed. What came behind it stays `unread`.
    private func line(_ unread: inout [UInt8], before deadline: UnixTime, aliases: [String]) throws(LoginError) -> Text? {
        var received = unread
        while !received.contains(UInt8(ascii: "\n")), received.count < 1024 {
            let now = UnixTime.now()
            guard now < deadline else { throw .noChoice(aliases: aliases) }
            var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&polled, 1, Int32(min(1000, (deadline - now) * 1000))) > 0 else { continue }
            var buffer = [UInt8](repeating: 0, count: 1024)
            let count = unsafe read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return nil }
            received += buffer[..<count]
        }
        let line = received.prefix { $0 != UInt8(ascii: "\n") }
        unread = Array(received.dropFirst(line.count + 1))
        let words = line.split(whereSeparator: { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D })
        guard let first = words.first, let last = words.last else { return "" }
        return Text(String(decoding: line[first.startIndex..<last.endIndex], as: UTF8.self))
    }
}
