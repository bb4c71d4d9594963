// Every reason there is, where it belongs and what it says. No other file words a refusal.

extension Refusal {
    /// The raw value is what the log shows as `reason=` and what a script may rely on.
    public enum Code: String, Sendable, CaseIterable {
        // At any step
        case timedOut = "timed-out"
        case notConfined = "not-confined"
        // Step 1
        case keyUnreadable = "key-unreadable"
        case keyTypeMismatch = "key-type-mismatch"
        case keyTypeUnsupported = "key-type-unsupported"
        case cryptographyUnavailable = "cryptography-unavailable"
        case certificateMalformed = "certificate-malformed"
        case notAUserCertificate = "not-a-user-certificate"
        case certificateNotYetValid = "certificate-not-yet-valid"
        case certificateExpired = "certificate-expired"
        case criticalOption = "critical-option"
        case unsafeAccount = "unsafe-account"
        case unsafePrincipal = "unsafe-principal"
        // Step 2
        case signedByAnotherKey = "signed-by-another-key"
        case certificateSignature = "certificate-signature"
        // Step 3
        case tokenMalformed = "token-malformed"
        case tokenJSON = "token-json"
        case tokenType = "token-type"
        case algorithm = "algorithm"
        case criticalHeader = "critical-header"
        case clientClaims = "client-claims"
        case keyMismatch = "key-mismatch"
        // Step 4
        case clientSignature = "client-signature"
        // Step 5
        case issuerUnknown = "issuer-unknown"
        case audience = "audience"
        case authorizedParty = "authorized-party"
        case subject = "subject"
        case tokenTypeNotAllowed = "token-type-not-allowed"
        // Step 6
        case commitment = "commitment"
        // Step 7
        case timeClaim = "time-claim"
        case issuedInFuture = "issued-in-future"
        case notYetValid = "not-yet-valid"
        case expired = "expired"
        case refreshedToken = "refreshed-token"
        // Step 8
        case keysUnavailable = "keys-unavailable"
        case noFittingKey = "no-fitting-key"
        case ambiguousKey = "ambiguous-key"
        case providerSignature = "provider-signature"
        // Step 9
        case denied = "denied"
        case groupsUnknown = "groups-unknown"
        case revoked = "revoked"
        case requirementNotMet = "requirement-not-met"
        case conditionNotMet = "condition-not-met"
        case emailNotVerified = "email-not-verified"
        case noRowAdmits = "no-row-admits"
        // Step 10
        case accountNotInCertificate = "account-not-in-certificate"
        case answerLost = "answer-lost"
        // Configuration (exit status 2)
        case unsafeFile = "unsafe-file"
        case configuration = "configuration"

        public var step: Step {
            switch self {
            // Where no step is named: before the first.
            case .timedOut, .notConfined, .keyUnreadable, .keyTypeMismatch, .keyTypeUnsupported, .cryptographyUnavailable,
                .certificateMalformed, .notAUserCertificate,
                .certificateNotYetValid, .certificateExpired, .criticalOption, .unsafeAccount, .unsafePrincipal:
                .certificate
            case .signedByAnotherKey, .certificateSignature: .selfSignature
            case .tokenMalformed, .tokenJSON, .tokenType, .algorithm, .criticalHeader, .clientClaims, .keyMismatch: .pkToken
            case .clientSignature: .clientSignature
            case .issuerUnknown, .audience, .authorizedParty, .subject, .tokenTypeNotAllowed: .providerRow
            case .commitment: .commitment
            case .timeClaim, .issuedInFuture, .notYetValid, .expired, .refreshedToken: .times
            case .keysUnavailable, .noFittingKey, .ambiguousKey, .providerSignature: .providerSignature
            case .denied, .groupsUnknown, .revoked, .requirementNotMet, .conditionNotMet, .emailNotVerified, .noRowAdmits, .unsafeFile,
                .configuration:
                .policy
            case .accountNotInCertificate, .answerLost: .answer
            }
        }

        /// A configuration file that is unsafe or malformed as a whole ends with status 2, everything else with 1.
        public var isConfiguration: Bool { self == .unsafeFile || self == .configuration }

        public var wording: String {
            switch self {
            case .timedOut: "the decision took too long"
            case .notConfined: "this process could not give up what it does not need"
            case .keyUnreadable: "the key that sshd handed over cannot be read"
            case .keyTypeMismatch: "the key is not of the type that sshd named"
            case .keyTypeUnsupported: "the key is of a type or size that no OpenPubkey certificate may have"
            case .cryptographyUnavailable: "this machine's OpenSSL lacks algorithms that are needed: look at its configuration"
            case .certificateMalformed: "the certificate is malformed"
            case .notAUserCertificate: "this is not a user certificate"
            case .certificateNotYetValid: "the certificate is not valid yet"
            case .certificateExpired: "the certificate has expired"
            case .criticalOption: "the certificate has a critical option"
            case .unsafeAccount: "the account name is not one that may be used"
            case .unsafePrincipal: "a principal of the certificate is not one that may be used"
            case .signedByAnotherKey: "the certificate is signed by another key than its own"
            case .certificateSignature: "the certificate's signature does not hold"
            case .tokenMalformed: "the PK token is malformed"
            case .tokenJSON: "a part of the PK token is not acceptable JSON"
            case .tokenType: "the PK token has a signature of a type that does not belong there"
            case .algorithm: "the signature algorithm is missing or not acceptable"
            case .criticalHeader: "a header asks for an extension that must be understood"
            case .clientClaims: "the client instance claims are not acceptable"
            case .keyMismatch: "the token is bound to another key than the certificate's"
            case .clientSignature: "the client's signature does not hold"
            case .issuerUnknown: "no row of providers names this issuer"
            case .audience: "no row of providers for this issuer names the token's audience"
            case .authorizedParty: "the token was issued to another client (azp)"
            case .subject: "the token has no subject"
            case .tokenTypeNotAllowed: "the provider's row does not allow a token of this type"
            case .commitment: "the token does not commit to the client's key"
            case .timeClaim: "a time in the token is missing or not acceptable"
            case .issuedInFuture: "the token was issued in the future"
            case .notYetValid: "the token is not valid yet"
            case .expired: "the identity has expired"
            case .refreshedToken: "the refreshed ID token is not acceptable"
            case .keysUnavailable: "the provider's keys are not available"
            case .noFittingKey: "the provider has no key that fits the token"
            case .ambiguousKey: "the token does not say which of the provider's keys signed it"
            case .providerSignature: "the provider's signature does not hold"
            case .denied: "a deny list names this login"
            case .groupsUnknown: "whether a deny list names this login cannot be known"
            case .revoked: "this identity or key has been revoked"
            case .requirementNotMet: "a requirement does not hold"
            case .conditionNotMet: "a row names this identity, but its conditions do not hold"
            case .emailNotVerified: "the provider does not vouch for the email address"
            case .noRowAdmits: "no row of auth_id admits this identity to this account"
            case .accountNotInCertificate: "the certificate is restricted to other accounts"
            case .answerLost: "the answer could not be written: sshd has gone"
            case .unsafeFile: "a configuration file is not safe to use"
            case .configuration: "a configuration file cannot be used"
            }
        }
    }
}
