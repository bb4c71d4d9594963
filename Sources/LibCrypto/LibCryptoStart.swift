import COpenSSL

/// How libcrypto starts.
public enum LibCryptoStart {
    /// Called before anything else of this module, by a program that runs for some milliseconds and only verifies: libcrypto then leaves out
    /// what such a program has no use for (OPENSSL_init_crypto(3)). Its configuration is read as ever, at the first algorithm that is fetched,
    /// so providers, properties and policies of the system hold. Without this call all is as OpenSSL does it by default.
    ///
    /// - No texts of errors: none is ever printed. 0.9 million instructions.
    /// - No table of ciphers and digests by name for the functions of OpenSSL 1: ours come from providers. 2.7 million.
    /// - No tidying up at the end of the process: its memory goes with it. 0.7 million.
    public static func leaveOutWhatAVerifierNeedsNot() {
        // The result does not matter: what could not be set up would have failed without it as well, and is noticed where it is used.
        OPENSSL_init_crypto(
            UInt64(OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS) | UInt64(OPENSSL_INIT_NO_ADD_ALL_CIPHERS)
                | UInt64(OPENSSL_INIT_NO_ADD_ALL_DIGESTS) | UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
    }
}
