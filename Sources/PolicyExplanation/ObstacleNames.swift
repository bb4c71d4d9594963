public import Policy

extension Obstacle {
    /// For scripts; stable.
    public var name: String {
        switch self {
        case .identity: "identity"
        case .unverifiedEmail: "unverified-email"
        case .expired: "expired"
        case .notStarted: "not-started"
        case .closed: "hours"
        case .claim: "claim"
        case .methods: "amr"
        case .contextClass: "acr"
        case .tooOld: "max-age"
        case .authenticatedTooLongAgo: "max-auth-age"
        case .accountClaim: "account-claim"
        case .systemAccount: "system-account"
        case .address: "from"
        case .noCommonAddress: "no-common-address"
        case .addressesNotCombinable: "addresses-not-combinable"
        case .groups: "groups"
        case .emailNotVerified: "verified-email"
        case .requirement: "requirement"
        }
    }
}
