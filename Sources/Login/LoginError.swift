public import LibCrypto
public import SafeFiles
public import TokenStore
public import Vocabulary

/// Why a login did not succeed: a closed list. LoginErrorWording.swift says it to a person.
///
/// No case carries a code, a token, a key or a secret.
public enum LoginError: Error, Sendable {
    // The call (exit status 64)
    case noProvider(aliases: [String])
    case unknownAlias(Text, known: [String])
    case aliasAndProvider
    case tooManyArguments
    case notTogether(String, String)
    case providerArgument
    case scopes(Text)
    case redirectURI(Text)
    case principal(Text)
    /// The wildcard beside names: it would undo them.
    case wildcardAndPrincipals
    case lifetime(Text)
    case fileName(Text)
    case identityName(Text)
    /// `one` is of no use without `other`.
    case without(String, String)
    /// Which of them is meant?
    case severalIdentities([String])

    // The listener
    case noFreePort([RedirectURI])
    case listening(RedirectURI, errno: Int32)
    case noAnswer([StrayRequest])
    /// Two have asked for the address that only our browser was given.
    case startAddressUsedTwice

    // The provider. The texts are escaped and whole sentences.
    case discovery(issuer: Text, String)
    case tokenEndpoint(String)
    case keys(String)
    /// What the provider said in its answer: hostile.
    case refusedByProvider(error: Text, description: Text?)
    /// RFC 9207: the answer came from another provider, or does not say whose it is though this provider promises to.
    case answerFromAnother
    case noAccessToken
    case accessTokenHash
    /// What the server would say to this identity. `aheadBy`: how far this machine's clock seems to be wrong.
    case identity(Refusal, clockOff: Int64?)
    case certificate(String)

    // The files
    case noHome
    case noFreeName([TakenName])
    case somebodyElses(path: String, why: String)
    /// `mayChangeMode`: whether it is the person's own ~/.ssh, which nobody but its owner needs.
    case folder(path: String, why: String, mayChangeMode: Bool)
    case writing(WriteFailure)
    case key(KeyError)

    /// Standard output.
    case output(errno: Int32)

    // Refresh tokens and what is logged in
    case tokenStore(TokenStoreError)
    /// The login is good, and ends when it ends. The texts are escaped.
    case notKeptAlive(String, hint: String?)
    case noIdentity(String)

    // opk inspect
    case unreadable(path: String, why: String)
    case notACertificate(String)

    /// Whether the command was called wrongly: nothing was tried.
    public var isUsage: Bool {
        switch self {
        case .noProvider, .unknownAlias, .aliasAndProvider, .providerArgument, .scopes, .redirectURI, .principal, .lifetime, .fileName,
            .tooManyArguments, .notTogether,
            .wildcardAndPrincipals, .identityName, .without, .severalIdentities:
            true
        default: false
        }
    }
}
