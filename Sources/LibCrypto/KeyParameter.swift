/// The names of a key's parts (provider-keymgmt(7)). Static, since OpenSSL's parameter builder keeps the pointers that it is given until
/// the parameters are made, and a Swift `String` lends its own for one call only.
enum KeyParameter {
    static let group: StaticString = "group"
    static let point: StaticString = "pub"
    static let scalar: StaticString = "priv"
    static let modulus: StaticString = "n"
    static let exponent: StaticString = "e"
    static let privateExponent: StaticString = "d"
    static let firstPrime: StaticString = "rsa-factor1"
    static let secondPrime: StaticString = "rsa-factor2"
    static let inverseOfSecondPrime: StaticString = "rsa-coefficient1"
    static let x: StaticString = "qx"
    static let y: StaticString = "qy"

    static let p256: StaticString = "prime256v1"
}

extension StaticString {
    /// Ended by NUL, and there for as long as the process is.
    var cString: UnsafePointer<CChar> {
        unsafe UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
