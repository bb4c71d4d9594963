import ChildProcess
import Foundation
import Identities
import TestSupport
import Testing
import Vocabulary

@testable import Login

/// The shape that opkssh's documentation shows: a list in one text is separated by blanks, everything of opkssh's own is there.
private let asOpksshHasIt = """
    ---

    default_provider: webchooser

    providers:
      - alias: google
        issuer: https://accounts.google.com
        client_id: 1234.apps.googleusercontent.com
        client_secret: GOCSPX-1234
        scopes: openid email profile
        access_type: offline
        prompt: consent
        redirect_uris:
          - http://localhost:3000/login-callback
          - http://localhost:10001/login-callback
        send_access_token: false

      - alias: azure microsoft
        issuer: https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0
        client_id: 096ce0a3-5e72-4da8-9c86-12924b294a01
        scopes: openid profile email offline_access
        remote_redirect_uri: https://ssh.example.com/login
        send_access_token: true

    """

func parsed(_ text: String) throws -> ClientConfigFile { try ClientConfigFile(parsing: Array(text.utf8)) }

func environment(_ variables: [String: String]) -> ProcessEnvironment {
    ProcessEnvironment(entries: variables.map { Array("\($0.key)=\($0.value)".utf8) })
}

@Suite("ClientConfig: ~/.opk/config.yml and the environment")
struct ClientConfigTests {
    /// A line of a provider, in a file that is good without it.
    static func with(_ line: String) -> String {
        "providers:\n  - alias: a\n    issuer: https://a.example\n    client_id: opk\n    \(line)\n"
    }

    static func config(_ text: String?, _ variables: [String: String] = [:]) throws -> ClientConfig {
        try ClientConfig(try text.map(parsed), at: "/home/a/.opk/config.yml", environment: environment(variables))
    }

    @Test("opkssh's own file is taken as it is, every key of it")
    func opkssh() throws {
        let file = try parsed(asOpksshHasIt)
        #expect(file.defaultProvider?.alias == "webchooser" && file.defaultProvider?.line == 3)
        let providers = try #require(file.providers)
        #expect(providers.map(\.line) == [6, 18])
        let google = providers[0].provider
        #expect(google.aliases == ["google"] && google.issuer == "https://accounts.google.com")
        #expect(google.clientID == "1234.apps.googleusercontent.com" && google.clientSecret == Secret(Array("GOCSPX-1234".utf8)))
        #expect(google.scopes == ["openid", "email", "profile"] && google.accessType == "offline" && google.prompt == "consent")
        #expect(google.redirectURIs.map(\.text) == ["http://localhost:3000/login-callback", "http://localhost:10001/login-callback"])
        #expect(!google.sendsAccessToken)
        let microsoft = providers[1].provider
        #expect(microsoft.aliases == ["azure", "microsoft"] && microsoft.name?.text == "azure")
        #expect(microsoft.sendsAccessToken && microsoft.remoteRedirectURI == "https://ssh.example.com/login")
        #expect(microsoft.clientSecret == nil && microsoft.redirectURIs == RedirectURI.usual)
    }

    @Test("what a provider does not say is as opkssh has it, and so is a value left empty; \"\" takes a parameter away")
    func defaults() throws {
        for line in ["", "scopes:", "prompt: ~", "access_type: null", "redirect_uris:", "client_secret: ''", "send_access_token:"] {
            let provider = try #require(try parsed(Self.with(line)).providers?.first?.provider)
            #expect(provider.scopes == ["openid", "profile", "email"], "\(line)")
            #expect(provider.accessType == "offline" && provider.prompt == "consent" && provider.redirectURIs == RedirectURI.usual)
            #expect(provider.clientSecret == nil && !provider.sendsAccessToken)
        }
        #expect(try parsed(Self.with("prompt: ''")).providers?.first?.provider.prompt == nil)
        #expect(try parsed(Self.with("access_type: \"\"")).providers?.first?.provider.accessType == nil)
        #expect(try parsed(Self.with("scopes: email")).providers?.first?.provider.scopes == ["openid", "email"])
        #expect(try parsed("providers:\n  - {issuer: https://a.example, client_id: 123}\n").providers?.first?.provider.clientID == "123")
    }

    @Test("opk's own keys are read, at a provider and at the top for all of them")
    func ours() throws {
        let text = Self.with(
            "key_type: ed25519\n    valid_for: 8h\n    store: agent\n    refresh_token: secret-service\n    hosts: ['*.example.com', '!bastion.example.com']"
        )
        let provider = try #require(try parsed(text).providers?.first?.provider)
        #expect(provider.keyKind == .ed25519 && provider.lifetime == .maximumAge(seconds: 8 * 3600) && provider.store == .agent)
        #expect(provider.refreshTokenPlace == .secretService && provider.hosts == ["*.example.com", "!bastion.example.com"])
        #expect(try parsed(Self.with("hosts: a b.example")).providers?.first?.provider.hosts == ["a", "b.example"])
        let config = try Self.config("store: both\nkey_type: ed25519\nvalid_for: oidc\nrefresh_token: file\n" + Self.with("store: file"))
        guard case .provider(let merged, _) = try config.choose(alias: "a", argument: nil) else { throw CancellationError() }
        #expect(merged.store == .file && merged.keyKind == .ed25519 && merged.lifetime == .oidc && merged.refreshTokenPlace == .file)
        guard case .provider(let other, _) = try config.choose(alias: nil, argument: "https://b.example,x") else {
            throw CancellationError()
        }
        #expect(other.store == .both)
    }

    @Test(
        "a slip is an error with its line, and with the name that was probably meant",
        arguments: [
            (with("cleint_id: x"), 5, "did you mean client_id?"), (with("redirect_uri: x"), 5, "did you mean redirect_uris?"),
            (with("remote_redirect_uris: x"), 5, "did you mean remote_redirect_uri?"), (with("host: x"), 5, "did you mean hosts?"),
            ("defualt_provider: a\n", 1, "did you mean default_provider?"), ("\nprovider:\n", 2, "did you mean providers?"),
            ("issuer: https://a.example\n", 1, "belongs to one of the providers"), (with("default_provider: a"), 5, "belongs to the top"),
            (with("store: agnet"), 5, "did you mean agent?"), (with("key_type: rsa"), 5, "ecdsa or ed25519"),
            (with("valid_for: soon"), 5, "soon"),
            (with("refresh_token: disk"), 5, "keyring or secret-service or file"),
            (with("send_access_token: maybe"), 5, "neither true nor false"),
            (with("scopes: [openid]"), 5, "one text"), (with("scopes: 'a\"b'"), 5, "not scopes"),
            (with("redirect_uris: http://localhost:1/x"), 5, "not a list"),
            (with("redirect_uris:\n      - http://localhost:3000/x\n      - https://evil.example/x"), 7, "http://localhost:PORT/PATH"),
            (with("redirect_uris: []"), 5, "empty"), (with("remote_redirect_uri: http://a.example/x"), 5, "remote_redirect_uri"),
            (with("hosts: ['!a']"), 5, "only exceptions"), (with("hosts: ['a\"b']"), 5, "ssh_config"),
            (with("hosts: ['-oProxyCommand=x']"), 5, "ssh_config"),
            (with("- x"), 5, "YAML"), (with("prompt: &a x"), 5, "anchors"),
            (with("\n  - alias: b a\n    issuer: https://b.example\n    client_id: x"), 6, "line 2 has it too"),
            ("providers:\n  - alias: a a\n    issuer: https://a.example\n    client_id: x\n", 2, "there twice"),
            ("providers:\n  - alias: WebChooser\n    issuer: https://a.example\n    client_id: x\n", 2, "stands for the page"),
            ("providers:\n  - alias: a\n    client_id: x\n", 2, "no issuer"),
            ("providers:\n  - alias: a\n    issuer: https://a.example\n", 2, "no client_id"),
            ("providers:\n  - a\n", 2, "KEY: VALUE"), ("providers: x\n", 1, "not a list"), ("providers: []\n", 1, "empty"),
            ("- a\n", 1, "KEY: VALUE"),
            ("default_provider: a b\n", 1, "one alias"),
        ])
    func slips(text: String, line: Int, words: String) throws {
        do {
            _ = try parsed(text)
            Issue.record("accepted")
        } catch let fault as ClientConfigFile.Fault {
            #expect(fault.line == line && fault.text.contains(words), "\(fault)")
        }
    }

    @Test(
        "C41: an issuer in the file is an https address without user, query, fragment, dot segments or a host that is read two ways",
        arguments: [
            "http://idp.example.com", "https://user:s3cret@idp.example.com", "https://idp.example.com?x=1", "https://idp.example.com/#x",
            "https://idp.example.com/a/../b",
            "https://idp.example.com/%2e%2e/b", "https://idp.exämple.com", "https://[fe80::1%25eth0]/", "https://0x7f.1/", "https:///x",
            "ftp://a.example", "javascript:x",
            "https://idp.example.com:0/", "http://localhost.evil.example/", "idp.example.com",
        ])
    func issuers(issuer: String) throws {
        do {
            _ = try parsed("providers:\n  - alias: a\n    issuer: '\(issuer)'\n    client_id: x\n")
            Issue.record("accepted")
        } catch let fault as ClientConfigFile.Fault {
            #expect(fault.line == 3 && fault.text.contains("issuer") && !fault.text.contains("s3cret"), "\(fault)")
        }
        #expect(throws: LoginError.self) { _ = try ClientConfigVariable.providers("a,\(issuer),x") }
    }

    @Test(
        "C41: an issuer with a path, a port, a slash at its end or on this machine is one",
        arguments: ["https://a.example/", "https://a.example:8443/realms/x", "http://localhost:8080", "http://[::1]:1/x"])
    func goodIssuers(issuer: String) throws {
        #expect(try parsed("providers:\n  - issuer: \(issuer)\n    client_id: x\n").providers?.first?.provider.issuer == Text(issuer))
    }

    @Test("a list in the file takes the place of the built-in providers, and OPKSSH_PROVIDERS that of both")
    func precedence() throws {
        #expect(try Self.config(nil).aliases == ["google", "azure", "microsoft", "gitlab", "hello"])
        #expect(try Self.config("store: file\n").aliases.contains("google"))
        #expect(try Self.config("# nothing\n").aliases.contains("google"))
        #expect(try Self.config(Self.with("")).aliases == ["a"])
        let config = try Self.config(
            Self.with(""), ["OPKSSH_PROVIDERS": "b,https://b.example,id,,openid groups;c,https://c.example,id,s3cret"])
        #expect(config.aliases == ["b", "c"] && config.listed.map(\.origin) == [.environment, .environment])
        #expect(config.listed[0].provider.scopes == ["openid", "groups"] && config.listed[1].provider.scopes == ["openid", "email"])
        #expect(config.listed[0].provider.clientSecret == nil && config.listed[1].provider.clientSecret == Secret(Array("s3cret".utf8)))
    }

    @Test(
        "OPKSSH_PROVIDERS that cannot be read is an error that does not repeat a secret",
        arguments: [
            "x", "a,https://a.example", "a,https://a.example,,s3cret", "a,https://a.example,x,s3cret,\"", ",https://a.example,x,s3cret",
            ";", "a,https://a.example,x;a,https://b.example,y,s3cret",
        ])
    func badVariable(text: String) {
        do {
            _ = try Self.config(nil, ["OPKSSH_PROVIDERS": text])
            Issue.record("accepted")
        } catch {
            #expect("\(error)".contains("OPKSSH_PROVIDERS") && !"\(error)\((error as? LoginError)?.hint ?? "")".contains("s3cret"))
        }
    }

    @Test("who is meant: the name, else OPKSSH_DEFAULT, else default_provider, else the only one, else a choice")
    func choice() throws {
        func name(_ config: ClientConfig, _ alias: String? = nil) throws -> String {
            switch try config.choose(alias: alias, argument: nil) {
            case .provider(_, let name): name?.text ?? "?"
            case .choose(let all): all.map { $0.name?.text ?? "?" }.joined(separator: "+")
            }
        }
        let two =
            "providers:\n  - {alias: a x, issuer: https://a.example, client_id: i}\n  - {alias: b, issuer: https://b.example, client_id: i}\n"
        #expect(try name(Self.config(two)) == "a+b")
        #expect(try name(Self.config("default_provider: x\n" + two)) == "a")
        #expect(try name(Self.config("default_provider: x\n" + two, ["OPKSSH_DEFAULT": "b"])) == "b")
        #expect(try name(Self.config("default_provider: x\n" + two, ["OPKSSH_DEFAULT": "b"]), "x") == "a")
        #expect(try name(Self.config("default_provider: x\n" + two, ["OPKSSH_DEFAULT": ""])) == "a")
        #expect(try name(Self.config("default_provider: WEBchooser\n" + two)) == "a+b")
        #expect(try name(Self.config("default_provider: a\n" + two), "webchooser") == "a+b")
        #expect(try name(Self.config("default_provider:\n" + Self.with(""))) == "a")
        #expect(try name(Self.config("default_provider: webchooser\n" + Self.with(""))) == "a")
        #expect(try name(Self.config(two, ["OPKSSH_PROVIDERS": "c,https://c.example,i"])) == "c")
        #expect(
            try name(
                Self.config(
                    "providers:\n  - {alias: github, issuer: https://token.actions.githubusercontent.com, client_id: unused}\n"
                        + "  - {alias: b, issuer: https://b.example, client_id: i}\n")) == "b")
    }

    @Test("an alias that is not there is answered with the nearest one and all of them")
    func unknown() throws {
        for (alias, usual) in [("gogle", nil), (nil, "gogle"), ("azrue", nil)] as [(String?, String?)] {
            do {
                _ = try Self.config(usual.map { "default_provider: \($0)\n" }).choose(alias: alias, argument: nil)
                Issue.record("accepted")
            } catch let error as LoginError {
                #expect(
                    error.hint?.contains(alias == "azrue" ? "did you mean azure?" : "did you mean google?") == true, "\(error.hint ?? "")")
                #expect(error.hint?.contains("google, azure, microsoft, gitlab, hello") == true)
                if usual != nil { #expect("\(error)".contains("/home/a/.opk/config.yml:1")) }
            }
        }
        #expect(NearestName.of("somebody", among: ["google", "hello"]) == nil)
    }

    @Test("the file that --create-config writes says what holds without it")
    func created() throws {
        let file = try parsed(ClientConfigDefault.text)
        #expect(file.providers?.map(\.provider) == ProviderConfig.builtIn)
        #expect(file.defaultProvider?.alias == "webchooser" && file.defaults == ClientConfig.Defaults())
        // And what its comments show can be taken in.
        let shown = ClientConfigDefault.text.split(separator: "\n").filter { $0.hasPrefix("#   ") }.map { $0.dropFirst(2) }.joined(
            separator: "\n")
        let example = try parsed("providers:\n\(shown)\n")
        #expect(example.providers?.count == 1 && example.providers?.first?.provider.hosts == ["*.example.com"])
        let tops = ClientConfigDefault.text.split(separator: "\n").filter { line in
            ["key_type", "valid_for", "store", "refresh_token"].contains { line.hasPrefix("# \($0): ") }
        }
        let defaults = try parsed(tops.map { $0.dropFirst(2) + "\n" }.joined()).defaults
        #expect(defaults.keyKind == .ecdsa && defaults.store == .file && defaults.refreshTokenPlace == .keyring && defaults.lifetime != nil)
    }

    @Test("the example of the manual is a file that means what the manual says")
    func manual() throws {
        let page = try textOfFile(SharedData.packageRoot.appendingPathComponent("docs/man/opk-client-config.5").path)
        let block = try #require(
            page.components(separatedBy: ".Bd -literal -offset indent\n").dropFirst().first?.components(separatedBy: ".Ed").first)
        let config = try Self.config(block)
        #expect(config.aliases == ["work", "home", "h"] && config.defaults.store == .both)
        guard case .provider(let work, let name) = try config.choose(alias: nil, argument: nil) else { throw CancellationError() }
        #expect(name?.text == "work" && work.hosts == ["*.example.com"] && work.scopes == ["openid", "profile", "email"])
        for key in ClientConfigFile.keys + ClientConfigProvider.keys {
            #expect(page.contains(key), "\(key)")
        }
    }

    @Test("a file that others may write to, a link, or somebody else's folder is refused; an absent one is not, unless it was named")
    func trust() throws {
        let folder = try TemporaryFolder()
        let home = environment(["HOME": folder.path])
        #expect(try ClientConfig.read(environment: home).listed.map(\.origin) == Array(repeating: .builtIn, count: 4))
        #expect(throws: LoginError.self) { _ = try ClientConfig.read(path: folder.path + "/none.yml", environment: home) }
        try folder.write(Array(Self.with("").utf8), to: ".opk/config.yml", mode: 0o644)
        let path = folder.path + "/.opk/config.yml"
        #expect(try ClientConfig.read(environment: home).listed.map(\.origin) == [.file(path: path, line: 2)])
        #expect(try ClientConfig.read(environment: home).warnings.isEmpty)
        chmod(path, 0o664)
        do {
            _ = try ClientConfig.read(environment: home)
            Issue.record("accepted")
        } catch {
            #expect(error.hint?.contains("chmod go-w \(path)") == true)
        }
        chmod(path, 0o600)
        chmod(folder.path + "/.opk", 0o777)
        #expect(throws: LoginError.self) { _ = try ClientConfig.read(environment: home) }
        chmod(folder.path + "/.opk", 0o700)
        symlink(path, folder.path + "/.opk/link.yml")
        #expect(throws: LoginError.self) { _ = try ClientConfig.read(path: folder.path + "/.opk/link.yml", environment: home) }
    }

    @Test("a client secret that others may read is warned of, with the command; Google's, which is published, is not")
    func readableSecret() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/c.yml"
        let home = environment(["HOME": folder.path])
        try folder.write(Array(Self.with("client_secret: s3cret").utf8), to: "c.yml", mode: 0o644)
        #expect(try ClientConfig.read(path: path, environment: home).warnings.map(\.hint) == ["chmod 600 \(path)"])
        chmod(path, 0o600)
        #expect(try ClientConfig.read(path: path, environment: home).warnings.isEmpty)
        try folder.write(Array(ClientConfigDefault.text.utf8), to: "d.yml", mode: 0o644)
        #expect(try ClientConfig.read(path: folder.path + "/d.yml", environment: home).warnings.isEmpty)
    }
}
