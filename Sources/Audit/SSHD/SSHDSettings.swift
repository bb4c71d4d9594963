import Vocabulary

/// What `sshd -T` prints: each keyword, in lower case whatever the version writes, with its arguments, in the order in which they are printed.
package struct SSHDSettings: Hashable, Sendable {
    private let lines: [(keyword: String, value: String)]

    package init(parsing output: [UInt8]) {
        lines = output.split(separator: UInt8(ascii: "\n")).map { line in
            let keyword = line.prefix { $0 != 0x20 }
            let value = line.dropFirst(keyword.count + 1)
            return (Text(String(decoding: keyword, as: UTF8.self)).lowercasedASCII.string, String(decoding: value, as: UTF8.self))
        }
    }

    /// Nil where the keyword is not printed.
    package func first(_ keyword: String) -> String? { lines.first { $0.keyword == keyword }?.value }

    /// One for each line of that keyword, without those that say none.
    package func all(_ keyword: String) -> [String] { lines.filter { $0.keyword == keyword && $0.value != "none" }.map(\.value) }

    /// A list with commas.
    package func list(_ keyword: String) -> [String]? { first(keyword)?.split(separator: ",").map(String.init) }

    package func says(_ keyword: String, _ value: String) -> Bool {
        first(keyword).map { Text($0).equalsIgnoringASCIICase(Text(value)) } ?? false
    }

    package static func == (left: SSHDSettings, right: SSHDSettings) -> Bool {
        left.lines.elementsEqual(right.lines) { $0 == $1 }
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(lines.count) }
}

/// Of OpenSSH: 9.2, 10.0.
package struct SSHDVersion: Comparable, Hashable, Sendable, CustomStringConvertible {
    package let major: Int
    package let minor: Int

    init(_ major: Int, _ minor: Int) { (self.major, self.minor) = (major, minor) }

    /// Looks for `OpenSSH_9.2` in what `sshd -V` says.
    package init?(in text: String) {
        guard let start = text.firstRange(of: "OpenSSH_")?.upperBound else { return nil }
        let numbers = text[start...].prefix { $0.isASCII && ($0.isNumber || $0 == ".") }.split(separator: ".")
        guard numbers.count >= 2, let major = Int(numbers[0]), let minor = Int(numbers[1]) else { return nil }
        self.init(major, minor)
    }

    package var description: String { "\(major).\(minor)" }

    package static func < (left: SSHDVersion, right: SSHDVersion) -> Bool { (left.major, left.minor) < (right.major, right.minor) }

    /// Measured: logins die where a version without it is told `%C`.
    static let lastWithoutAddresses = SSHDVersion(9, 2)
    package static let firstWithAddresses = SSHDVersion(10, 0)
}
