/// By which one decision is found again, in the log and by `opk explain --id`.
enum DecisionID {
    /// 10 characters of base32, from the system's random numbers; l, o, 0 and 1 are left out, since they are mistaken for each other.
    static func new() -> String {
        var system = SystemRandomNumberGenerator()
        var bits = system.next()
        var id = ""
        for _ in 0..<10 {
            id.unicodeScalars.append(Unicode.Scalar(alphabet[Int(bits & 31)]))
            bits >>= 5
        }
        return id
    }

    private static let alphabet = Array("abcdefghijkmnpqrstuvwxyz23456789".utf8)
}
