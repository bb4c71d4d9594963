public import CIToken
public import HTTP
public import Identities
public import LibCrypto
public import SSHAgent
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
    /// Not a time to wait.
    case patience(Text)
    case fileName(Text)
    case remoteRedirectURI(Text)

    // The providers that are configured
    /// Something wrong with `~/.opk/config.yml`: the line, counted from 1 (0: the whole file), and a sentence without a secret, escaped.
    case clientConfig(path: String, line: Int, String)
    case clientConfigFile(UnsafeFile)
    /// Of a variable of opkssh's; a sentence without a secret, escaped.
    case environment(String)
    case defaultProvider(Text, from: ClientConfig.Origin, known: [String])
    /// What `opk providers add` was given is no provider, and why: escaped.
    case newProvider(String)
    case aliasTaken(Text, by: ClientConfig.Origin)
    /// The file is written so that it cannot be changed without a person's eye; the lines to write.
    case notEditable(path: String, why: String, lines: [String])
    case changedMeanwhile(path: String)
    /// The provider is not one of the file's.
    case notInTheFile(Text, ClientConfig.Origin)
    case onlyProvider(path: String)
    case isDefault(Text, path: String)
    case secretInput(String)
    /// A name that no key in ~/.ssh/opk can have.
    case reservedName(Text)
    case identityName(Text)
    /// `one` is of no use without `other`.
    case without(String, String)
    /// Which of them is meant?
    case severalIdentities([String])

    // The listener
    case noFreePort([RedirectURI])
    case listening(RedirectURI, errno: Int32)
    case noAnswer([StrayRequest])
    /// Nothing at all, as this client, at this address.
    case nothingCameBack(clientID: Text, RedirectURI)
    /// Two have asked for the address that only our browser was given.
    case startAddressUsedTwice
    /// The page, or the question in the terminal, was not answered in time.
    case noChoice(aliases: [String])

    // A login that ssh asked for
    /// Neither a terminal nor a browser.
    case nobodyToAsk(IdentityName)
    /// Another process's, which this one waited for.
    case otherLoginFailed(IdentityName)
    case unansweredLately(IdentityName)
    case noName
    // What is pasted
    /// Standard input ended.
    case nothingPasted
    /// So often that it makes no sense to go on.
    case wrongPastes(Int)

    // The provider. The texts are escaped and whole sentences.
    case discovery(issuer: Text, String)
    /// It did not answer.
    case unreachable(issuer: Text, HTTPError)
    case tokenEndpoint(String)
    case keys(String)
    /// What the provider said in its answer: hostile.
    case refusedByProvider(error: Text, description: Text?)
    /// The same about the client: it is not known, its secret is wrong, or it may not log in so.
    case clientRefused(issuer: Text, clientID: Text, hasSecret: Bool, Text, Text?)
    /// RFC 9207: the answer came from another provider, or does not say whose it is though this provider promises to.
    case answerFromAnother
    case noAccessToken
    case accessTokenHash
    /// What the server would say to this identity. `clockOff`: by how many seconds this machine's clock seems to be behind; negative: ahead.
    case identity(Refusal, clockOff: Int64?)
    case certificate(String)
    /// A job of a CI system has no identity.
    case ci(CITokenError)

    // The device login
    case noDeviceLogin(issuer: Text)
    case deviceAuthorization(String)
    /// Nobody confirmed it while the code was good.
    case deviceCodeExpired
    /// The ID token of a device login has not the nonce that ties it to the key.
    case deviceWithoutCommitment

    // The files
    case noHome
    case noFreeName([TakenName])
    case somebodyElses(path: String, why: String)
    /// `mayChangeMode`: whether it is the person's own ~/.ssh, which nobody but its owner needs.
    case folder(path: String, why: String, mayChangeMode: Bool)
    case writing(WriteFailure)
    case key(KeyError)
    case agent(AgentError)

    /// Standard output.
    case output(errno: Int32)

    // Refresh tokens and what is logged in
    case tokenStore(TokenStoreError)
    /// The login is good, and ends when it ends. The texts are escaped.
    case notKeptAlive(String, hint: String?)
    case noIdentity(String)
    /// The same, where to be logged in is what was wanted.
    case notLoggedIn(String)

    // opk inspect
    case unreadable(path: String, why: String)
    case notACertificate(String)

    /// Whether the command was called wrongly: nothing was tried.
    public var isUsage: Bool {
        switch self {
        case .ci(let error): error.isUsage
        case .noProvider, .unknownAlias, .aliasAndProvider, .providerArgument, .scopes, .redirectURI, .principal, .lifetime, .patience,
            .fileName,
            .tooManyArguments, .notTogether, .newProvider, .noName, .reservedName, .remoteRedirectURI, .wildcardAndPrincipals,
            .identityName, .without, .severalIdentities:
            true
        default: false
        }
    }
}
