import Vocabulary

/// The fourth column of a row: options in the grammar of sshd's authorized_keys(5), separated by commas without blanks around them.
///
///     require-verified-email,timeout="3s",reason="said \"yes\""
///
/// A value stands in double quotes, in which `\"` is a quote and every other character is itself. Names are of letters, digits and `-`;
/// ASCII case is ignored, as sshd ignores it. No option may be there twice unless it is repeatable. A comment may follow after a blank.
struct OptionList: Equatable {
    struct Option: Equatable {
        /// In lower case.
        let name: Text
        /// Nil for an option without `=`.
        let value: Text?
    }

    let options: [Option]

    init(_ column: Text) throws(RowFault) {
        var reader = OptionReader(rest: column.utf8[...])
        var options: [Option] = []
        if !column.isEmpty {
            options.append(try reader.option())
            while try reader.goesOn() { options.append(try reader.option()) }
        }
        self.options = options
    }

    /// How sshd and this reader take it back as the same.
    static func written(_ name: Text, _ value: Text?) -> String {
        guard let value else { return name.string }
        let escaped = value.utf8.flatMap { $0 == UInt8(ascii: "\"") ? [UInt8(ascii: "\\"), $0] : [$0] }
        return name.string + "=\"" + String(decoding: escaped, as: UTF8.self) + "\""
    }

    /// The value of an option that must have one.
    static func value(_ option: Option) throws(RowFault) -> Text {
        guard let value = option.value, !value.isEmpty else {
            throw RowFault("the option \(option.name) needs a value: \(option.name)=\"…\"")
        }
        return value
    }

    /// An option that must have none.
    static func flag(_ option: Option) throws(RowFault) {
        if option.value != nil { throw RowFault("the option \(option.name) takes no value") }
    }
}

private struct OptionReader {
    var rest: ArraySlice<UInt8>

    mutating func option() throws(RowFault) -> OptionList.Option {
        let name = rest.prefix { isNameCharacter($0) }
        guard !name.isEmpty, let text = Text(validating: name) else {
            throw RowFault("an option's name is missing (options are name or name=\"value\", with commas between)")
        }
        rest = rest[name.endIndex...]
        guard rest.first == UInt8(ascii: "=") else { return OptionList.Option(name: text.lowercasedASCII, value: nil) }
        rest.removeFirst()
        return OptionList.Option(name: text.lowercasedASCII, value: try value(of: text))
    }

    private mutating func value(of name: Text) throws(RowFault) -> Text {
        guard rest.popFirst() == UInt8(ascii: "\"") else { throw RowFault("the value of the option \(name) is not in double quotes") }
        var value: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") {
                guard let text = Text(validating: value) else { throw RowFault("the value of the option \(name) is not UTF-8") }
                return text
            }
            if byte == UInt8(ascii: "\\") && rest.first == UInt8(ascii: "\"") {
                rest.removeFirst()
                value.append(UInt8(ascii: "\""))
            } else {
                value.append(byte)
            }
        }
        throw RowFault("the value of the option \(name) is not closed by a double quote")
    }

    /// Whether another option follows; false at the end of the row and at a comment.
    mutating func goesOn() throws(RowFault) -> Bool {
        if rest.first == UInt8(ascii: ",") {
            rest.removeFirst()
            return true
        }
        let behind = rest.drop(while: isBlank)
        guard behind.isEmpty || behind.startIndex != rest.startIndex && behind.first == UInt8(ascii: "#") else {
            throw RowFault("something that is no option follows the options (commas stand between options, without blanks)")
        }
        return false
    }

    private func isNameCharacter(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20) && byte >= 0x41 || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
    }
}
