public import LibCrypto

/// Keys that live as long as the test run: making an RSA key takes a while.
public enum TestKeys {
    public static let rsa = make(.rsa(bits: 2048))
    public static let otherRSA = make(.rsa(bits: 2048))
    public static let p256 = make(.p256)
    public static let otherP256 = make(.p256)
    public static let ed25519 = make(.ed25519)
    public static let otherEd25519 = make(.ed25519)

    private static func make(_ kind: PrivateKey.Kind) -> PrivateKey {
        do {
            return try PrivateKey(generating: kind)
        } catch {
            preconditionFailure("no test without keys: \(error)")
        }
    }
}
