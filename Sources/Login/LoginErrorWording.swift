import CIToken
import Display
import HTTP
import LibCrypto
import SSHAgent
import SafeFiles
import TokenStore
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

// What a person reads when a login does not succeed. Everything foreign in it is escaped.

extension LoginError: CustomStringConvertible {
    /// What went wrong, without a full stop: `opk: error: …`.
    public var description: String {
        switch self {
        case .noProvider: "no provider was named"
        case .unknownAlias(let alias, _) where LoginError.looksLikeProvider(alias):
            "what was given as an alias looks like a whole provider (it is not repeated here: it may hold a secret)"
        case .unknownAlias(let alias, _): "there is no provider with the alias \(alias.escaped(limit: 60))"
        case .clientConfig(let path, 0, let why): "\(Text(path).escaped): \(why)"
        case .clientConfig(let path, let line, let why): "\(Text(path).escaped), line \(line): \(why)"
        case .clientConfigFile(let file): LoginError.sentence(of: file)
        case .environment(let why): why
        case .defaultProvider(let alias, let origin, _):
            "there is no provider with the alias \(alias.escaped(limit: 60)), which is the default (\(origin))"
        case .newProvider(let why): "this is no provider: \(why)"
        case .aliasTaken(let alias, let origin): "there is a provider with the alias \(alias.escaped(limit: 60)) already (\(origin))"
        case .notEditable(let path, let why, _): "\(Text(path).escaped) is left as it is: \(why)"
        case .changedMeanwhile(let path): "\(Text(path).escaped) was changed by somebody else at the same time"
        case .notInTheFile(let alias, let origin): "\(alias.escaped(limit: 60)) is not in the file (\(origin))"
        case .onlyProvider(let path): "it is the only provider in \(Text(path).escaped)"
        case .isDefault(let alias, let path): "\(alias.escaped(limit: 60)) is the default provider of \(Text(path).escaped)"
        case .secretInput(let why): "the client secret cannot be had: \(why)"
        case .aliasAndProvider: "name the provider by its alias or with --provider, not both"
        case .tooManyArguments: "there is more than one argument that is no option, and only an alias is wanted"
        case .notTogether(let one, let other): "\(one) and \(other) cannot be used together"
        case .providerArgument: "--provider wants ISSUER,CLIENT_ID[,SECRET[,SCOPES]]"
        case .scopes(let text): "these are not scopes: \(text.escaped(limit: 60))"
        case .redirectURI(let text):
            "this redirect URI is not http://localhost:PORT/PATH (or 127.0.0.1, [::1]): \(text.escaped(limit: 80))"
        case .remoteRedirectURI(let text):
            "this remote redirect URI is not https://HOST/PATH without a query: \(text.escaped(limit: 80))"
        case .wildcardAndPrincipals: "opkssh-wildcard stands for every account, so it cannot be named beside others"
        case .principal(let text) where text.isEmpty: "an account name in --principals is empty"
        case .principal(let text): "this account name cannot be in a certificate: \(text.escaped(limit: 60))"
        case .lifetime(let text): "this is not a time that a certificate can be good for: \(text.escaped(limit: 30))"
        case .patience(let text): "this is not a time to wait: \(text.escaped(limit: 30))"
        case .fileName(let text): "-i wants the name of a file" + (text.isEmpty ? "" : ", and this is none: \(text.escaped(limit: 80))")
        case .reservedName(let name):
            "a login cannot be called \(name.escaped(limit: 64)): its key in ~/.ssh/opk would be in the way of others"
        case .identityName(let text): "this is not the name of an identity: \(text.escaped(limit: 80))"
        case .without(let one, let other): "\(one) is of no use without \(other)"
        case .severalIdentities(let names): "there are several identities, and one is to be named: \(names.joined(separator: " "))"
        case .noFreePort(let candidates): "every port for the browser's answer is taken: " + candidates.map(\.text).joined(separator: " ")
        case .listening(let uri, let number): "cannot wait for the browser at \(uri.text): \(systemError(number))"
        case .startAddressUsedTwice:
            "the address that the browser was given was opened twice: somebody else on this machine may have read it"
        case .noChoice: "no provider was chosen in time"
        case .nothingCameBack: "nothing came back from the browser in time"
        case .noAnswer: "no answer came from the provider in time"
        case .nobodyToAsk(let name): "a login as \(name) is needed, and there is neither a terminal nor a display to ask on"
        case .otherLoginFailed(let name): "another process was logging in as \(name), and came to no end"
        case .unansweredLately(let name): "a login as \(name) is needed, and the last page that was opened for it was not answered"
        case .noName: "this provider's login has no name that a file can have"
        case .nothingPasted: "the input ended before the address came"
        case .wrongPastes(let times): "what was pasted could not be used, \(times) times"
        case .noDeviceLogin(let issuer): "the provider \(issuer.escaped(limit: 120)) has no device login"
        case .deviceAuthorization(let why): "the provider did not begin a device login: \(why)"
        case .deviceCodeExpired: "nobody confirmed the login on another device in time"
        case .deviceWithoutCommitment:
            "the provider's device login works, but its ID token does not carry the commitment to your key (the nonce), so no server could "
                + "tell that the key is yours"
        case .discovery(let issuer, let why): "the provider \(issuer.escaped(limit: 120)) cannot be used: \(why)"
        case .unreachable(let issuer, let error):
            "the provider \(issuer.escaped(limit: 120)) cannot be reached: "
                + (Text(error.url).hasPrefix(issuer) ? error.reason : error.description)
        case .tokenEndpoint(let why): "the provider did not give an identity: \(why)"
        case .keys(let why): "the provider's keys cannot be had: \(why)"
        case .refusedByProvider(let error, let words):
            "the provider said no: \(error.escaped(limit: 60))" + (words.map { " (\($0.escaped(limit: 300)))" } ?? "")
        case .clientRefused(let issuer, let client, _, let error, let words):
            "the provider \(issuer.escaped(limit: 120)) does not take the client id \(client.escaped(limit: 80)): \(error.escaped(limit: 60))"
                + (words.map { " (\($0.escaped(limit: 300)))" } ?? "")
        case .answerFromAnother: "the browser's answer does not come from the provider that was asked"
        case .noAccessToken: "the provider gave no access token, and --send-access-token needs one"
        case .accessTokenHash: "the access token is not the one that the identity speaks of (at_hash)"
        case .identity(let refusal, _): "a server would refuse this identity: \(refusal)"
        case .ci(let error): "\(error)"
        case .certificate(let why): "the certificate could not be made: \(why)"
        case .noHome: "there is no home folder: HOME is not set to one"
        case .noFreeName(let names):
            "no file name that ssh tries by itself can be used: "
                + names.map { "\(Text($0.path).escaped) (\($0.why))" }.joined(separator: ", ")
        case .somebodyElses(let path, let why): "\(Text(path).escaped) is not opk's to replace: \(why)"
        case .folder(let path, let why, _): "keys cannot lie in \(Text(path).escaped): \(why)"
        case .writing(let failure): "\(failure)"
        case .key(let error): "the key pair could not be made or used: \(error)"
        case .agent(let error): "\(error)"
        case .output(let number): "standard output: \(systemError(number))"
        case .tokenStore(let error): "a refresh token cannot be kept: \(error)"
        case .notKeptAlive(let why, _): "the login is not kept alive: \(why)"
        case .noIdentity(let name): "there is no identity \(name)"
        case .notLoggedIn(let name): "nobody is logged in as \(name) here"
        case .unreadable(let path, let why): "\(Text(path).escaped) cannot be read: \(why)"
        case .notACertificate(let why): "this is not an SSH certificate: \(why)"
        }
    }

    /// What to do about it, where that can be guessed: `opk: hint: …`.
    public var hint: String? {
        switch self {
        case .noProvider(let aliases), .noChoice(let aliases):
            "run `opk login ALIAS` with one of: \(aliases.joined(separator: ", ")); or `opk login --provider ISSUER,CLIENT_ID`"
        case .without("--qr", _): "a browser on another device cannot come back to this machine; with those it need not"
        case .unknownAlias(let alias, _) where LoginError.looksLikeProvider(alias): "did you mean --provider ISSUER,CLIENT_ID[,SECRET]?"
        case .tooManyArguments: "any other provider: --provider ISSUER,CLIENT_ID[,SECRET[,SCOPES]], quoted if there are spaces in it"
        case .listening(_, errno: EACCES): "ports below 1024 are not for everybody; choose another with --redirect-uri"
        case .unknownAlias(let alias, let known):
            LoginError.didYouMean(alias, known)
                + "known aliases: \(known.joined(separator: ", ")); any other provider: --provider ISSUER,CLIENT_ID"
        case .defaultProvider(let alias, _, let known):
            LoginError.didYouMean(alias, known) + "known aliases: \(known.joined(separator: ", ")), and webchooser for a page of them"
        case .clientConfig: "every key: man 5 opk-client-config; opkssh's own file can be used as it is"
        case .clientConfigFile(let file): LoginError.hint(for: file)
        case .environment:
            "OPKSSH_PROVIDERS=\"ALIAS,ISSUER,CLIENT_ID[,SECRET[,SCOPES]];…\" takes the place of every other list; unset it if it should not"
        case .aliasTaken: "choose another alias, or take that one away: `opk providers remove ALIAS`"
        case .changedMeanwhile: "try again"
        case .notInTheFile(_, .environment): "it comes from OPKSSH_PROVIDERS"
        case .notInTheFile: "the built-in providers are there as long as the file has no list of its own"
        case .onlyProvider(let path): "remove the file, and the built-in providers are there again: rm \(Text(path).escaped)"
        case .isDefault: "write another default_provider into the file first, or webchooser"
        case .providerArgument: "for example: --provider https://idp.example.com,opk"
        case .lifetime: "for example 30m, 8h, 24h, 7d, or oidc for as long as the ID token says"
        case .patience: "for example 30s, 5m or 1h; a day at most"
        case .principal: "letters, digits and . _ + @ - are allowed, 128 at most; several are separated by commas"
        case .noFreePort:
            "end the program that uses one of them (another `opk login`?), or give --redirect-uri one that the provider knows"
        case .startAddressUsedTwice: "run `opk login` again, with --no-browser if it happens again"
        case .nothingPasted: "run `opk login --remote` in a terminal, or give the address on standard input"
        case .wrongPastes: "run `opk login --remote` again; copy the whole address of the page on which the browser ends"
        case .noDeviceLogin, .deviceWithoutCommitment:
            "log in in the browser: `opk login`, or where the browser is on another machine `opk login --remote`"
        case .deviceCodeExpired: "run `opk login --device` again; the code is good for a few minutes only"
        case .nothingCameBack(let client, let uri):
            "was the page closed? Run `opk login` again; if the provider's page speaks of redirect_uri, register \(uri.text) there for the "
                + "client \(client.escaped(limit: 80))"
        case .noAnswer(let strays): LoginError.hint(afterWaitingInVain: strays)
        case .nobodyToAsk(let name), .otherLoginFailed(let name), .unansweredLately(let name): "run `opk login \(name)`, then this again"
        case .noName: "name it by an alias of ~/.opk/config.yml"
        case .discovery: "check the issuer's spelling and the network; the issuer is compared letter by letter"
        case .unreachable(_, let error): LoginError.hint(for: error)
        case .clientRefused(_, _, let hasSecret, "invalid_client", _):
            (hasSecret ? "check the client id and its secret" : "check the client id; it may want a secret")
                + " where it is registered (--provider, or client_id in ~/.opk/config.yml)"
        case .clientRefused:
            "allow the authorization code grant with PKCE, for a public client, where it is registered; or name another with --provider"
        case .refusedByProvider(let error, _): LoginError.hint(forProviderError: error)
        case .severalIdentities: "or all of them: --all"
        case .tokenStore(let error): error.hint
        case .notKeptAlive(_, let hint): hint
        case .noIdentity: "`opk status` lists those there are"
        case .notLoggedIn(let name): "run `opk login \(name)`; `opk status` lists who is logged in"
        case .noAccessToken: "leave --send-access-token away, or ask for a scope that comes with one"
        case .identity(let refusal, let clockOff): LoginError.hint(for: refusal, clockOff: clockOff)
        case .ci(let error): error.hint
        case .noFreeName: "choose a file yourself: `opk login -i ~/.ssh/opk`"
        case .somebodyElses: "choose another file with -i, or move this one away"
        case .reservedName: "give the provider another alias first"
        case .agent(let error): error.hint
        case .folder(let path, _, true): "only you should be able to write there: chmod 700 \(Text(path).escaped)"
        case .folder: "choose a file in a folder of your own with -i"
        default: nil
        }
    }

    /// Lines for a person to write.
    public var rows: [String] {
        if case .notEditable(_, _, let lines) = self { return lines }
        return []
    }

    private static func didYouMean(_ alias: Text, _ known: [String]) -> String {
        NearestName.of(alias.string, among: known + [ClientConfig.chooserAlias]).map { "did you mean \($0)? " } ?? ""
    }

    /// The file is a person's own: root has nothing to do with it.
    private static func sentence(of file: UnsafeFile) -> String {
        let name = Text(file.path).escaped
        switch file.fault {
        case .owner(let user): return "\(name) belongs to user id \(user), and not to you"
        case .folderOwner(let user): return "the folder of \(name) belongs to user id \(user), and not to you"
        default: return "\(file)"
        }
    }

    private static func hint(for file: UnsafeFile) -> String? {
        let name = Text(file.path).escaped
        switch file.fault {
        case .owner, .folderOwner: return "whoever can write it can send your logins elsewhere; make a file of your own"
        case .writableByOthers: return "whoever can write it can send your logins elsewhere: chmod go-w \(name)"
        case .folderWritableByOthers: return "whoever can write there can send your logins elsewhere: chmod go-w on the folder of \(name)"
        default: return nil
        }
    }

    /// An issuer and what follows it, with --provider forgotten.
    private static func looksLikeProvider(_ alias: Text) -> Bool {
        alias.utf8.contains(UInt8(ascii: ","))
            || alias.string.utf8.split(separator: UInt8(ascii: ":")).dropFirst().contains { $0.starts(with: "//".utf8) }
    }

    private static func hint(afterWaitingInVain strays: [StrayRequest]) -> String {
        let notable = strays.filter(\.isWorthMentioning)
        guard !notable.isEmpty else {
            return "open the printed address in a browser on this machine; if the provider shows an error there, check the client id and "
                + "that the redirect URI is registered for it"
        }
        return "something else came: " + notable.map(\.explanation).joined(separator: " ")
    }

    private static func hint(forProviderError error: Text) -> String? {
        switch error.string {
        case "access_denied": "the login was cancelled or refused in the browser; run `opk login` again"
        case "invalid_scope": "this provider does not know a scope that was asked for; choose others with --scopes"
        case "invalid_grant": "the answer of the browser is no longer good, or was used before; run `opk login` again"
        case "server_error", "temporarily_unavailable": "the provider has a fault of its own; try again in a minute"
        case "login_required", "interaction_required", "consent_required":
            "log in at the provider in the browser, then run `opk login` again"
        default: nil
        }
    }

    private static func hint(for refusal: Refusal, clockOff: Int64?) -> String? {
        switch refusal.code {
        case .issuedInFuture, .expired, .certificateExpired, .notYetValid, .certificateNotYetValid:
            return clockOff.map {
                "this machine's clock seems to be \(RelativeTime.span($0)) \($0 > 0 ? "behind" : "ahead"); set it: `timedatectl set-ntp true`"
            }
        case .commitment: return "the provider did not pass the nonce on; it cannot be used in this way"
        case .keysUnavailable, .noFittingKey, .providerSignature: return "the provider may be changing its keys; try again in a minute"
        default: return nil
        }
    }
}

/// What the system calls an errno.
func systemError(_ number: Int32) -> String {
    guard let text = unsafe strerror(number) else { return "error \(number)" }
    return unsafe String(cString: text)
}
