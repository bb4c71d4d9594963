import LibCrypto
import TestSupport
import Testing

@Suite("Digests give the known answers")
struct DigestTests {
    private let abc = Array("abc".utf8)

    @Test("SHA-256 of FIPS 180-4")
    func sha256() {
        #expect(Digest.sha256(abc) == bytes(hex: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))
        #expect(Digest.sha256([]) == bytes(hex: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"))
    }

    @Test("SHA-512 of FIPS 180-4")
    func sha512() {
        #expect(
            Digest.sha512(abc)
                == bytes(
                    hex: "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                        + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"))
    }

    @Test("SHA3-256 of FIPS 202, which is not Keccak-256 (V31)")
    func sha3() {
        #expect(Digest.sha3_256(abc) == bytes(hex: "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"))
        #expect(Digest.sha3_256([]) == bytes(hex: "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"))
        #expect(Digest.sha3_256([]) != bytes(hex: "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"))
    }

    @Test("SHAKE256 of FIPS 202, of any length")
    func shake() {
        let empty = bytes(
            hex:
                "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762fd75dc4ddd8c0f200cb05019d67b592f6fc821c49479ab48640292eacb3b7c4be"
        )
        #expect(Digest.shake256([], length: 64) == empty)
        #expect(Digest.shake256([], length: 32) == Array(empty.prefix(32)))
        #expect(Digest.shake256(abc, length: 32) == bytes(hex: "483366601360a8771c6863080cc4114d8db44530f8f1e1ee4f94ea37e78b5739"))
    }

    @Test("Random bytes have the length that was asked for and are not the same twice")
    func random() {
        #expect(randomBytes(0) == [])
        #expect(randomBytes(32).count == 32)
        #expect(randomBytes(32) != randomBytes(32))
    }

    @Test("Comparison in constant time tells equal from different, and from another length")
    func constantTime() {
        #expect(equalInConstantTime([], []))
        #expect(equalInConstantTime([1, 2, 3], [1, 2, 3]))
        #expect(!equalInConstantTime([1, 2, 3], [1, 2, 4]))
        #expect(!equalInConstantTime([1, 2, 3], [1, 2]))
    }
}
