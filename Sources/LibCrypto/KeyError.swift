/// Why something is not a key, or could not be used as one. Never holds key material.
public enum KeyError: Error, Equatable, Sendable {
    /// Not the number of bytes that this kind of key has.
    case wrongLength
    /// RSA below 2048 or above 8192 bits (RFC 7518 section 3.3 asks for 2048; larger ones cost without end, CVE-2023-6237).
    case modulusSize
    /// An RSA modulus that is even, written with leading zeros, or of a generator whose primes can be guessed (ROCA).
    case modulus
    /// An RSA exponent that is even, below 3 or above 2^32, or written with leading zeros.
    case exponent
    /// A point that is not on the curve, or of small order, or not in its canonical form.
    case point
    /// This scheme does not go with this kind of key.
    case scheme
    /// OpenSSL refused: the operation is not available here (a FIPS provider, say) or the system is out of memory.
    case openSSL
}
