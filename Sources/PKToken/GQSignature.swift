public import LibCrypto

/// OpenPubkey's GQ256 (PROTOCOL section 2): a Guillou-Quisquater proof (ISO/IEC 14888-2) of knowing a provider's RS256 signature, which
/// itself stays at home. RSA with e = 65537, 16 rounds of 16 bits, SHAKE256.
public enum GQSignature {
    static let rounds = 16
    /// Bytes of a round's challenge: 16 bits, since e has 17.
    static let challengeLength = 2

    /// Whether `proof` shows, for `message`, that its maker knew a PKCS#1 v1.5 SHA-256 signature by `key` over `identity`.
    ///
    /// - Parameter proof: R (32 bytes), then 16 numbers as long as the modulus.
    public static func verifies(_ proof: [UInt8], identity: [UInt8], message: [UInt8], key: RSAPublicKey) -> Bool {
        let width = key.modulus.count
        let challengeSize = rounds * challengeLength
        guard key.exponent == [1, 0, 1], proof.count == challengeSize + rounds * width,
            let arithmetic = try? ModularArithmetic(modulus: key)
        else { return false }
        let challenges = Array(proof.prefix(challengeSize))
        let encoded = emsaPKCS1(identity, width: width)
        var commitments: [UInt8] = []
        for round in 0..<rounds {
            let witness = Array(proof[(challengeSize + round * width)..<(challengeSize + (round + 1) * width)])
            let challenge = Array(challenges[(round * challengeLength)..<((round + 1) * challengeLength)])
            // W = S^e · G^R mod n. Witnesses of zero or beyond the modulus are refused by `product`.
            guard let commitment = arithmetic.product(witness, to: key.exponent, encoded, to: challenge) else { return false }
            commitments += commitment
        }
        return Digest.shake256(commitments + message, length: challengeSize) == challenges
    }

    /// Such a proof.
    ///
    /// - Parameter signature: the provider's own, over `identity`; nil unless it is.
    public static func prove(_ signature: [UInt8], identity: [UInt8], message: [UInt8], key: RSAPublicKey) -> [UInt8]? {
        let width = key.modulus.count
        guard key.exponent == [1, 0, 1], PublicKey.rsa(key).verifies(signature, over: identity, .rsaPKCS1SHA256),
            let arithmetic = try? ModularArithmetic(modulus: key), let secret = arithmetic.inverse(signature)
        else { return nil }
        var blinds: [[UInt8]] = []
        var commitments: [UInt8] = []
        while blinds.count < rounds {
            let blind = randomBytes(width)
            // Nil for the rare number beyond the modulus: drawn again, so that what is left is even.
            guard let commitment = arithmetic.product(blind, to: key.exponent, [1], to: [1]) else { continue }
            blinds.append(blind)
            commitments += commitment
        }
        let challenges = Digest.shake256(commitments + message, length: rounds * challengeLength)
        var proof = challenges
        for (round, blind) in blinds.enumerated() {
            let challenge = Array(challenges[(round * challengeLength)..<((round + 1) * challengeLength)])
            guard let witness = arithmetic.product(blind, to: [1], secret, to: challenge) else { return nil }
            proof += witness
        }
        return proof
    }

    /// EMSA-PKCS1-v1_5 with SHA-256 (RFC 8017 section 9.2): 00 01 FF … FF 00, DigestInfo.
    static func emsaPKCS1(_ message: [UInt8], width: Int) -> [UInt8] {
        let digestInfo: [UInt8] =
            [
                0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
            ] + Digest.sha256(message)
        return [0, 1] + [UInt8](repeating: 0xFF, count: width - digestInfo.count - 3) + [0] + digestInfo
    }
}
