/// By which one event is found again: in the audit log, in the system's log and by `opk explain --id`.
public enum EventID {
    /// 10 characters of base32, from the system's random numbers.
    public static func new() -> String {
        var system = SystemRandomNumberGenerator()
        return text(system.next())
    }

    /// The lowest 50 bits; l, o, 0 and 1 are left out, since they are mistaken for each other.
    static func text(_ number: UInt64) -> String {
        var bits = number
        var id = ""
        for _ in 0..<10 {
            id.unicodeScalars.append(Unicode.Scalar(alphabet[Int(bits & 31)]))
            bits >>= 5
        }
        return id
    }

    private static let alphabet = Array("abcdefghijkmnpqrstuvwxyz23456789".utf8)
}
