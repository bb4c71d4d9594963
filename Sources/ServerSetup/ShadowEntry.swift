import SafeFiles
import Vocabulary

/// What shadow(5) says about an account.
struct ShadowEntry {
    private let fields: [ArraySlice<UInt8>]

    /// Nil where there is no line for it, or this is not root.
    init?(of name: String, in file: String = "/etc/shadow") {
        guard let bytes = try? BoundedInput.read(file, limit: 16 << 20) else { return nil }
        let start = Array(name.utf8) + [UInt8(ascii: ":")]
        guard let line = bytes.split(separator: UInt8(ascii: "\n")).first(where: { $0.starts(with: start) }) else { return nil }
        fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    }

    private var password: ArraySlice<UInt8> { fields.count > 1 ? fields[1] : [] }

    /// A field that begins with ! or * fits no password; an empty one is none.
    var hasPassword: Bool { password.first.map { $0 != UInt8(ascii: "!") && $0 != UInt8(ascii: "*") } ?? false }

    /// `usermod --lock`: sshd without PAM lets nobody in then, by no key either. With PAM it does.
    var isLocked: Bool { password.first == UInt8(ascii: "!") }

    /// `usermod --expiredate`: the day is over; 1970-01-01 is day 0.
    func hasExpired(at now: UnixTime) -> Bool {
        guard fields.count > 7, let day = Int64(String(decoding: fields[7], as: UTF8.self)), day >= 0 else { return false }
        return now.seconds / 86_400 >= day
    }
}
