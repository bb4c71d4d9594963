import COpenSSL

/// An Ed25519 public key (RFC 8032): canonical and not of small order.
///
/// OpenSSL takes keys of small order, for which one signature fits many messages; they are refused here (V40).
public struct Ed25519PublicKey: Hashable, Sendable {
    /// 32 bytes: y, little endian, with the sign of x in the topmost bit (RFC 8032 section 5.1.2).
    public let bytes: [UInt8]

    public init(_ bytes: [UInt8]) throws(KeyError) {
        guard bytes.count == 32 else { throw .wrongLength }
        guard Ed25519PublicKey.isCanonical(bytes), !Ed25519PublicKey.isOfSmallOrder(bytes) else { throw .point }
        self.bytes = bytes
    }

    func verifies(_ signature: [UInt8], over message: [UInt8]) -> Bool {
        guard signature.count == 64,
            let pointer = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count)
        else { return false }
        return unsafe PKeyHandle(owning: pointer).verifies(signature, over: message, digest: nil)
    }

    /// y below p = 2^255 - 19.
    private static func isCanonical(_ bytes: [UInt8]) -> Bool {
        let top = bytes[31] & 0x7F
        guard top == 0x7F, bytes[1...30].allSatisfy({ $0 == 0xFF }) else { return true }
        return bytes[0] < 0xED
    }

    private static func isOfSmallOrder(_ bytes: [UInt8]) -> Bool {
        var y = bytes
        y[31] &= 0x7F
        return yOfSmallOrder.contains(y)
    }

    /// The y of the eight points whose order divides 8: 0, 1, p - 1 and the two of order 8.
    private static let yOfSmallOrder: [[UInt8]] = [
        [UInt8](repeating: 0, count: 32),
        [1] + [UInt8](repeating: 0, count: 31),
        [0xEC] + [UInt8](repeating: 0xFF, count: 30) + [0x7F],
        [
            0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98, 0xF0,
            0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53, 0xFC, 0x05,
        ],
        [
            0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67, 0x0F,
            0x2A, 0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03, 0x7A,
        ],
    ]
}
