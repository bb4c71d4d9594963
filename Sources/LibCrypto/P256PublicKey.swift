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
