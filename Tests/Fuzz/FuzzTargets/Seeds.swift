import JOSE
import LibCrypto
import MintingKit
import PKToken
import Policy
import SSHKeys
import Vocabulary

extension FuzzTarget {
    /// Good inputs and nearly good ones, of our own making: where the fuzzer begins.
    public func seeds() throws -> [[UInt8]] {
        switch name {
        case "certificate": try certificateSeeds()
        case "compactToken": try tokenSeeds()
        case "json": jsonSeeds
        case "login": loginSeeds
        case "authID": [authIDSeed, Array("root alice@example.com https://issuer.example.com\n".utf8)]
        case "providers": [providersSeed, Array("https://issuer.example.com client 24h\n".utf8)]
        case "config": configSeeds
        case "revoked": revokedSeeds
        case "keyCache": try keyCacheSeeds()
        case "userinfo": userinfoSeeds
        case "principal": ["root", "_apt", "alice.smith@example.com", "WORKSTATION1$", "a b"].map { Array($0.utf8) }
        case "verify": try verifySeeds()
        case "plugin": pluginSeeds
        case "auditEvent": auditEventSeeds
        default: []
        }
    }
}

private func goodLogins() throws -> [MintedLogin] {
    let fixed = try MintedLogin(userKey: FixedKeys.user).with { $0.sign(with: FixedKeys.provider, .edDSA) }
    let ecdsa = try MintedLogin(userKey: TestKeys.p256)
    let rsa = try MintedLogin(userKey: TestKeys.rsa).with { $0.sign(with: TestKeys.otherRSA, .rs256) }
    let gq = try MintedLogin(userKey: FixedKeys.user).with { $0.proveGQ() }
    let refreshed = try fixed.with {
        $0.claims["exp"] = .number(JSONNumber($0.now.seconds - 10))
        $0.refreshed = try fixed.idToken()
    }
    return [fixed, ecdsa, rsa, gq, refreshed]
}

private func certificateSeeds() throws -> [[UInt8]] {
    let token = try goodLogins()[0].token()
    var form = CertificateForm(for: FixedKeys.user.publicKey, token: token)
    form.principals = ["alice", "root", "opkssh-wildcard"].map { Array($0.utf8) }
    var bounded = form
    bounded.validBefore = 1_900_000_000
    bounded.extensions.insert(.init("openpubkey-act", value: Array("secret".utf8)), at: 0)
    var critical = form
    critical.criticalOptions = [.init("force-command", value: Array("id".utf8)), .init("source-address", value: Array("::1/128".utf8))]
    let empty = CertificateForm(for: TestKeys.p256.publicKey)
    return try goodLogins().prefix(3).map { try $0.certificate() } + [
        form.signedBytes, bounded.signedBytes, critical.signedBytes, try empty.signed(by: TestKeys.p256),
    ]
}

private func tokenSeeds() throws -> [[UInt8]] {
    let logins = try goodLogins()
    let cosigned = logins[0].with { login in
        login.rewriteToken = { token in
            token + Array(":".utf8) + Base64URL.encodeBytes(Array(#"{"alg":"ES256","typ":"COS"}"#.utf8)) + Array(":AAAA".utf8)
        }
    }
    return try (logins + [cosigned]).map { try $0.token() } + [try logins[0].idToken()]
}

private var jsonSeeds: [[UInt8]] {
    let keys: JSON = [
        "keys": [
            MintedLogin.jwk(TestKeys.rsa.publicKey, ["kid": "a", "alg": "RS256", "use": "sig"]),
            MintedLogin.jwk(TestKeys.p256.publicKey, ["kid": "b", "key_ops": ["verify"]]),
            MintedLogin.jwk(FixedKeys.provider.publicKey, ["alg": "EdDSA"]), ["kty": "oct", "k": "AAAA"],
        ]
    ]
    let texts = [
        #"{"a":[1,-0.5e+3,1e400,true,false,null],"\u00e9\ud83d\ude00":"\b\f\n\r\t\"\\\/<>&"}"#, "[[[[[[[[]]]]]]]]", "1790000000.123456789",
        "\"\u{2028}\u{2029}\"",
        #"{"a":{"b":{"c":{}}},"B":[],"":0}"#, " \t\r\n{ } ",
    ]
    return [keys.serialized] + texts.map { Array($0.utf8) }
}

private var loginSeeds: [[UInt8]] {
    let claims = #"{"iss":"https://issuer.example.com","aud":"test-client","sub":"a","nonce":"$C","iat":1789999940,"exp":1790003600}"#
    let many =
        #"{"iss":"https://issuer.example.com","aud":["test-client","b"],"azp":"test-client","sub":"a","nonce":"$C","iat":1789999940.5}"#
    let old =
        #"{"iss":"https://issuer.example.com","aud":["test-client"],"sub":"a","nonce":"$C","iat":1789990000,"nbf":0,"exp":1789993600}"#
    let fresh = #"{"iss":"https://issuer.example.com","aud":"test-client","sub":"a","iat":1789999990,"exp":1790003600}"#
    let bound =
        #"{"iss":"https://issuer.example.com","aud":"test-client","sub":"a","iat":1789999940,"cnf":{"jwk":{"kty":"OKP","crv":"Ed25519","x":"iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w"}}}"#
    let dpop = #"{"alg":"EdDSA","kid":"key-1","typ":"dpop+id_token"}"#
    let access = #"{"alg":"EdDSA","typ":"at+JWT"}"#
    let client = #"{"alg":"EdDSA","rz":"0","typ":"CIC","upk":$U,"extra":{"<b>":[1,"\u2028"]}}"#
    return [
        "\u{0}" + claims, "\u{3}" + many, "\u{6}" + old + "\u{0}\u{0}\u{0}" + fresh, "\u{1}" + bound + "\u{0}" + dpop,
        "\u{2}" + claims + "\u{0}" + access, "\u{9}" + claims + "\u{0}\u{0}" + client,
    ].map { Array($0.utf8) }
}

private let authIDSeed = Array(
    #"""
    # account identity issuer
    root alice@example.com https://issuer.example.com # a comment
    dev "oidc:groups:ssh users" https://issuer.example.com
    dev 'oidc:"https://example.com/groups":a' https://issuer.example.com
    guest oidc-match-end:email:@example.com https://issuer.example.com
    deploy repo:acme/*:ref:refs/heads/[a-m]?in https://token.actions.githubusercontent.com
    root	oidc:sub:x\ y	http://localhost:8080/
    """#.utf8)

private let providersSeed = Array(
    #"""
    # issuer client expiry
    https://accounts.google.com 992028499768-ce9.apps.googleusercontent.com 24h
    https://issuer.example.com "client id" oidc-refreshed
    https://issuer.example.com/tenant/v2.0 'x' never
    http://localhost:8080 test 1week # local
    https://gitlab.example.com OPENPUBKEY-PKTOKEN:1234 90m
    """#.utf8)

private let revokedSeeds = [
    #"""
    # what before
    email:bob@example.com
    sub:103030642802723203118@https://accounts.google.com # left
    key:SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU
    issuer:https://idp.example.com   2026-11-21T12:00Z
    """#,
    "email:alice@example.com\t2026-11-21T12:00:00.5Z\r\n'sub:a b#c@https://issuer.example.com' \"2028-02-29T23:59:59+14:00\"\n",
    "sub:alice-1@https://issuer.example.com 1970-01-01T00:00:01Z # x\n", "\"email:o'neill@example.com\"\n",
    "sub:x@https://a.example@http://localhost:8080/\n", "issuer:https://[::1]/it's 9999-12-31T23:59:59Z\n",
    "email:a@b.example\nkey:SHA256:47D\n",
].map { Array($0.utf8) }

private let configSeeds = [
    """
    # what holds for everybody
    deny_users: [postgres, "www-data"]
    deny_emails:
      - mallory@example.com
      - 'Bob@Example.com'
    env_vars: {HTTPS_PROXY: "http://proxy.example.com:3128", TZ: UTC}
    """,
    "deny_users: ~\ndeny_emails: []\n", "---\nenv_vars:\n  SSL_CERT_FILE: |\n    /etc/ca.pem\n...\n",
    #"{"deny_users": ["a\u0062", "\x63"]}"#,
    "deny_users: &a [x]\ndeny_emails: *a\n", "? deny_users\n: - >-\n    folded\n", "%YAML 1.1\n---\n!!map {}\n",
].map { Array($0.utf8) }

private let pluginSeeds =
    [
        "name: Match linux username to email username\ncommand: /etc/opk/match-email.sh example.com\n",
        "---\nname: 'it''s: #1'\ncommand: \"/bin/x 'a b' \\\"c\\\" d\\\\ e\"\ntimeout: 3s\n", "{name: \"12\", command: |\n  /bin/x\n}\n",
        "name: a\ncommand: >-\n  /bin/x\n  $(id) ; `id`\n", "!the claim groups is not a list\0",
    ].map { Array($0.utf8) }
    + [
        PluginAnswer.notAsked, .none, .refused(["plugin a.yml: it says \"deny\" with exit status 1", ""]),
        .allowed(name: "a", notes: ["b", "ü"]),
    ].map(\.encoded)
    + [
        "U", "K", "T", "EXTRA_ARGS", "ISS", "SUB", "EMAIL", "EMAIL_VERIFIED", "AUD", "EXP", "NBF", "IAT", "JTI", "GROUPS", "PAYLOAD", "UPK",
        "IDT", "PKT", "USERINFO",
    ].reduce(into: [[]]) { $0[0] += Array("OPKSSH_PLUGIN_\($1)=x\0".utf8) }

private func keyCacheSeeds() throws -> [[UInt8]] {
    let keys: JSON = ["keys": [MintedLogin.jwk(FixedKeys.provider.publicKey, ["kid": "key-1", "alg": "EdDSA", "use": "sig"])]]
    let record: JSON = [
        "version": 1, "issuer": .string(MintedLogin.issuer), "jwks_uri": "https://issuer.example.com/jwks",
        "userinfo_endpoint": "https://issuer.example.com/userinfo", "fetched_at": 1_790_000_000, "jwks": keys,
    ]
    let short = #"{"version":1,"issuer":"https://issuer.example.com","jwks_uri":"x","fetched_at":1.5e9,"jwks":"#
    return [record.serialized, keys.serialized, Array(short.utf8) + keys.serialized + Array("}".utf8), Array(#"{"keys":[]}"#.utf8)]
}

private let userinfoSeeds = [
    #"{"sub":"alice-1","groups":["users","admins"]}"#, #"{"sub":"alice-1","email":"a@example.com","email_verified":true}"#,
    #"{"sub":"alice-1","email":"bob@example.org","email_verified":"false"}"#, #"{"sub":"alice-1","https://example.com/roles":1}"#,
    #"{"sub":"alice-1","email":"mallory@example.com","groups":"admins"}"#, #"{"sub":"bob","groups":["admins"]}"#,
    #"{"sub":"alice-1","email":"carol@example.org"}"#,
].map { Array($0.utf8) }

/// What the target `verify` reads, out of a certificate for an account.
public func verifyInput(form: UInt8, _ account: [UInt8], _ type: [UInt8], _ rest: [UInt8]) -> [UInt8] {
    [form] + account + [0] + type + [0] + rest
}

private func verifySeeds() throws -> [[UInt8]] {
    let (alice, dev, type) = (Array("alice".utf8), Array("dev".utf8), Array("ssh-ed25519-cert-v01@openssh.com".utf8))
    let login = try MintedLogin(userKey: FixedKeys.user).with { $0.sign(with: FixedKeys.provider, .edDSA) }
    let blob = try login.certificate()
    var form = CertificateForm(for: FixedKeys.user.publicKey, token: try login.token())
    form.principals = [dev, alice]
    let plain = FixedKeys.user.publicKey.sshBlob
    let claims = Array(
        #" {"iss":"https://issuer.example.com","aud":"test-client","sub":"alice-1","nonce":"$C","iat":1789999940,"email":"b@example.com"}"#
            .utf8)
    let groups = Array(
        #" {"iss":"https://issuer.example.com","aud":"test-client","sub":"alice-1","nonce":"$C","iat":1789999940,"groups":["admins"]}"#.utf8
    )
    let expired = Array(
        #" {"iss":"https://issuer.example.com","aud":"other-client","sub":"alice-1","nonce":"$C","iat":1789990000,"exp":1789993600}"#.utf8)
    let fresh = Array(#"{"iss":"https://issuer.example.com","aud":"other-client","sub":"alice-1","iat":1789999990,"exp":1790003600}"#.utf8)
    let wildcard = Array("opkssh-wildcard".utf8)
    return [
        verifyInput(form: 0, alice, type, Array(Base64.encode(blob).utf8)),
        verifyInput(form: 0, alice, Array("ssh-ed25519".utf8), Array(Base64.encode(plain).utf8)),
        verifyInput(form: 1, alice, type, blob), verifyInput(form: 2, alice, type, form.signedBytes),
        verifyInput(form: 3, Array("guest".utf8), type, wildcard + [0, 0] + claims),
        verifyInput(form: 3, dev, type, dev + [0, 0] + groups),
        verifyInput(form: 11, dev, type, [0] + Array("act".utf8) + [0] + claims),
        verifyInput(form: 3, alice, type, Array("root,alice".utf8) + [0, 0] + expired + [0, 0, 0] + fresh),
        verifyInput(form: 3, Array("denied".utf8), type, wildcard + [0, 0] + claims),
    ]
}
