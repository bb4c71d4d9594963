import LibCrypto
import TestSupport
import Testing

@Suite("Wycheproof's signatures", .enabled(if: SharedData.isThere, SharedData.absence))
struct WycheproofTests {
    @Test("Ed25519 signatures hold exactly where Wycheproof says so (V40)")
    func ed25519() throws {
        let file = try Wycheproof("ed25519_test")
        #expect(file.count == 151)
        for group in file.groups {
            let key = PublicKey.ed25519(try Ed25519PublicKey(bytes(hex: group.object("publicKey")["pk"] as? String ?? "")))
            for test in group.cases {
                let holds = key.verifies(test.hex("sig"), over: test.hex("msg"), .ed25519)
                #expect(holds == (test.result == .valid), "\(test)")
            }
        }
    }

    @Test("ECDSA signatures of r and s hold exactly where Wycheproof says so (V36, V37)")
    func ecdsa() throws {
        let file = try Wycheproof("ecdsa_secp256r1_sha256_p1363_test")
        #expect(file.count == 262)
        for group in file.groups {
            let point = bytes(hex: group.object("publicKey")["uncompressed"] as? String ?? "")
            let key = PublicKey.p256(try P256PublicKey(x: Array(point.dropFirst().prefix(32)), y: Array(point.suffix(32))))
            for test in group.cases {
                let holds = key.verifies(test.hex("sig"), over: test.hex("msg"), .ecdsaP256SHA256)
                #expect(holds == (test.result == .valid), "\(test)")
            }
        }
    }

    @Test("RSA PKCS#1 v1.5 signatures hold exactly where Wycheproof says so (V38)")
    func pkcs1() throws {
        let file = try Wycheproof("rsa_signature_2048_sha256_test")
        #expect(file.count == 259)
        for group in file.groups {
            let key = PublicKey.rsa(try rsaKey(group))
            for test in group.cases {
                let holds = key.verifies(test.hex("sig"), over: test.hex("msg"), .rsaPKCS1SHA256)
                // "Acceptable" are legacy encodings (a missing NULL), which we have no reason to accept.
                #expect(holds == (test.result == .valid), "\(test)")
            }
        }
    }

    @Test("RSA PSS signatures hold exactly where Wycheproof says so, and only with a salt as long as the hash (V39)")
    func pss() throws {
        let file = try Wycheproof("rsa_pss_2048_sha256_mgf1_32_test")
        #expect(file.count == 108)
        for group in file.groups {
            let key = PublicKey.rsa(try rsaKey(group))
            for test in group.cases {
                let holds = key.verifies(test.hex("sig"), over: test.hex("msg"), .rsaPSSSHA256)
                #expect(holds == (test.result == .valid), "\(test)")
            }
        }
    }

    @Test("An RSA PSS signature without a salt never holds, however valid it is elsewhere (V39)")
    func pssWithoutSalt() throws {
        let file = try Wycheproof("rsa_pss_2048_sha256_mgf1_0_test")
        #expect(file.count == 103)
        for group in file.groups {
            let key = PublicKey.rsa(try rsaKey(group))
            for test in group.cases {
                let holds = key.verifies(test.hex("sig"), over: test.hex("msg"), .rsaPSSSHA256)
                // The one whose salt was "changed" to our length is as good as any of ours.
                #expect(holds == (test.comment == "s_len changed to 32"), "\(test)")
            }
        }
    }

    private func rsaKey(_ group: Wycheproof.Group) throws -> RSAPublicKey {
        func number(_ name: String) -> [UInt8] {
            Array(bytes(hex: group.object("publicKey")[name] as? String ?? "").drop { $0 == 0 })
        }
        return try RSAPublicKey(modulus: number("modulus"), exponent: number("publicExponent"))
    }
}

@Suite("Edge cases of Ed25519", .enabled(if: SharedData.isThere, SharedData.absence))
struct Ed25519EdgeCaseTests {
    /// ed25519-speccheck's cases; of those that OpenSSL accepts, 0, 1 and 11 have keys of small order or not in canonical form.
    @Test("Of the twelve edge cases only 2 and 3 are accepted (V40)", arguments: 0..<12)
    func edgeCase(_ index: Int) throws {
        let cases = try SharedData.json("ed25519/cases.json") as? [[String: String]] ?? []
        try #require(cases.count == 12)
        func field(_ name: String) -> [UInt8] { bytes(hex: cases[index][name] ?? "") }
        let key = try? Ed25519PublicKey(field("pub_key"))
        let holds = key.map { PublicKey.ed25519($0).verifies(field("signature"), over: field("message"), .ed25519) } ?? false
        #expect(holds == [2, 3].contains(index))
        if [0, 1, 11].contains(index) { #expect(key == nil, "the key itself is refused") }
    }
}
