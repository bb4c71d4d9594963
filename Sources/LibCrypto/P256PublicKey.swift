import COpenSSL

/// A point on NIST P-256 (FIPS 186-5; prime order, so that every point on it but infinity is a good key).
public struct P256PublicKey: Hashable, Sendable {
    /// 32 bytes, big endian.
    public let x: [UInt8]
    /// 32 bytes, big endian.
    public let y: [UInt8]
    private let handle: PKeyHandle

    /// - Throws: `.wrongLength` unless both are 32 bytes (RFC 7518 section 6.2.1.2 wants the full size), `.point` off the curve.
    public init(x: [UInt8], y: [UInt8]) throws(KeyError) {
        guard x.count == 32, y.count == 32 else { throw .wrongLength }
        guard
            let handle = PKeyHandle.make(
                type: "EC", selection: opk_selection_public(), group: KeyParameter.p256, point: [4] + x + y)
        else { throw .point }
        self.x = x
        self.y = y
        self.handle = handle
    }

    /// Whether this machine's OpenSSL can use such keys at all. Where it cannot, because its configuration leaves the algorithms out, every
    /// key looks like a bad one.
    public static var isAvailable: Bool { (try? P256PublicKey(x: generatorX, y: generatorY)) != nil }

    /// The generator (FIPS 186-5, SP 800-186 section 3.2.1.3): a point that is surely on the curve.
    private static let generatorX: [UInt8] = [
        0x6B, 0x17, 0xD1, 0xF2, 0xE1, 0x2C, 0x42, 0x47, 0xF8, 0xBC, 0xE6, 0xE5, 0x63, 0xA4, 0x40, 0xF2,
        0x77, 0x03, 0x7D, 0x81, 0x2D, 0xEB, 0x33, 0xA0, 0xF4, 0xA1, 0x39, 0x45, 0xD8, 0x98, 0xC2, 0x96,
    ]
    private static let generatorY: [UInt8] = [
        0x4F, 0xE3, 0x42, 0xE2, 0xFE, 0x1A, 0x7F, 0x9B, 0x8E, 0xE7, 0xEB, 0x4A, 0x7C, 0x0F, 0x9E, 0x16,
        0x2B, 0xCE, 0x33, 0x57, 0x6B, 0x31, 0x5E, 0xCE, 0xCB, 0xB6, 0x40, 0x68, 0x37, 0xBF, 0x51, 0xF5,
    ]

    /// The uncompressed form of SEC 1 section 2.3.3: 04, x, y.
    public var uncompressed: [UInt8] { [4] + x + y }

    public static func == (left: P256PublicKey, right: P256PublicKey) -> Bool { left.x == right.x && left.y == right.y }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(x)
        hasher.combine(y)
    }

    func verifies(_ signature: [UInt8], over message: [UInt8]) -> Bool {
        guard let der = ECDSASignature.der(fromRaw: signature) else { return false }
        return unsafe handle.verifies(der, over: message, digest: EVP_sha256())
    }
}
