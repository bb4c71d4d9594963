import Foundation
import JOSE
import KeyCache
import LibCrypto
import MintingKit
import SSHKeys
import TestSupport
import Vocabulary

/// A server's side of a login in a folder of its own: configuration, key cache, an identity provider on loopback, and opk-verify to be
/// asked about it as sshd asks.
final class Doorway: Sendable {
    let folder: String
    let provider: ScriptedServer
    let issuer: Text
    var config: String { folder + "/etc" }
    var cacheFolder: String { folder + "/cache" }
    /// Where nothing is, until a test puts it there.
    var stateFolder: String { folder + "/state" }
    var cache: KeyCache { KeyCache(directory: cacheFolder) }

    /// What sshd sets, and no more.
    static let environment = ["PATH": "/usr/bin:/bin", "USER": "nobody", "LOGNAME": "nobody", "HOME": "/", "LANG": "C"]

    /// - Parameter issuer: nil for the provider on loopback, which answers 404 until it is told to serve.
    init(issuer other: Text? = nil) throws {
        provider = try ScriptedServer()
        issuer = other ?? Text(provider.url)
        // Short, since a socket's path has an end, and without links on the way.
        folder = "/tmp/opk-verify-" + UUID().uuidString.prefix(8)
        for folder in [folder, config, cacheFolder] {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        }
        try write("providers", "# issuer, client id, expiry\n\(issuer.string) \(MintedLogin.clientID.string) 24h\n")
        try write("auth_id", "guest alice@example.com \(issuer.string)\n")
    }

    deinit {
        // A fetch behind an answer may still be at work in there.
        for _ in 0..<100 {
            try? FileManager.default.removeItem(atPath: folder)
            if !FileManager.default.fileExists(atPath: folder) { return }
            usleep(20_000)
        }
    }

    /// A file of the configuration.
    func write(_ name: String, _ text: String, mode: Int = 0o640) throws {
        let path = config + "/" + name
        try? FileManager.default.removeItem(atPath: path)
        guard FileManager.default.createFile(atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: mode]) else {
            throw CocoaError(.fileWriteUnknown)
        }
    }

    /// A login at this issuer, one minute ago.
    func login() throws -> MintedLogin {
        let now = UnixTime.now().seconds
        return try MintedLogin(userKey: TestKeys.ed25519).with {
            $0.claims["iss"] = .string(issuer)
            $0.claims["iat"] = .number(JSONNumber(now - 60))
            $0.claims["exp"] = .number(JSONNumber(now + 3600))
        }
    }

    /// The login's keys in the cache, as they were fetched `age` seconds ago.
    func keep(_ keys: [JSON], age: Int64 = 0) throws {
        let record = CachedKeys(
            issuer: issuer, keysURI: Text(issuer.string + "/jwks"), userinfoEndpoint: Text(issuer.string + "/userinfo"),
            fetchedAt: .now() + -age, body: Doorway.keySet(keys))
        guard let record else { throw CocoaError(.coderInvalidValue) }
        try cache.write(record)
    }

    static func keySet(_ keys: [JSON]) -> [UInt8] {
        JSON.object(MintedLogin.object(["keys": .array(keys)])).serialized
    }

    /// The provider gives these keys from now on, and says this about whoever holds an access token.
    func serve(_ keys: [JSON], userinfo: String? = nil, headers: [String] = [], pause: Double = 0) {
        let url = provider.url
        let keySet = Doorway.keySet(keys)
        provider.play { request, connection in
            Thread.sleep(forTimeInterval: pause)
            switch request.target {
            case "/.well-known/openid-configuration":
                connection.answer(
                    """
                    {"issuer":"\(url)","jwks_uri":"\(url)/jwks","userinfo_endpoint":"\(url)/userinfo",
                    "authorization_endpoint":"\(url)/authorize","token_endpoint":"\(url)/token"}
                    """)
            case "/jwks": connection.answer(headers: headers, keySet)
            case "/userinfo" where userinfo != nil: connection.answer(userinfo ?? "")
            default: connection.answer(404, "{}")
            }
        }
    }

    /// The record in the cache as it will be in so many seconds, and with it what is known of the last fetch.
    func age(by seconds: Int64) throws {
        let record = try cache.read(issuer: issuer)?.record ?? { throw CocoaError(.fileReadNoSuchFile) }()
        let then = UnixTime.now().seconds - seconds
        let aged = String(decoding: record, as: UTF8.self).replacing(/"fetched_at":[0-9]+/, with: "\"fetched_at\":\(then)")
        guard let keys = CachedKeys(parsing: Array(aged.utf8), issuer: issuer) else { throw CocoaError(.coderInvalidValue) }
        try cache.write(keys)
        try cache.note(.success(at: UnixTime(seconds: then)), issuer: issuer)
    }

    /// Whether that becomes true within ten seconds.
    func eventually(_ condition: () -> Bool) -> Bool {
        for _ in 0..<500 {
            if condition() { return true }
            Thread.sleep(forTimeInterval: 0.02)
        }
        return condition()
    }

    /// The addresses that the provider was asked for, in order.
    var asked: [String] { provider.requests.map(\.target) }
}

// Asking.
extension Doorway {
    /// The words after the program's name: `%u %k %t` for this login.
    func words(_ login: MintedLogin, as account: String = "guest", options: [String]? = nil) throws -> [[UInt8]] {
        let blob = try login.certificate()
        let type = try SSHCertificate(parsing: blob).type
        let options = options ?? ["--config-dir", config, "--cache-dir", cacheFolder, "--state-dir", stateFolder, "--"]
        return options.map { Array($0.utf8) } + [Array(account.utf8), Array(Base64.encode(blob).utf8), Array(type.utf8)]
    }

    /// opk-verify's answer to this login.
    ///
    /// - Parameter surroundings: what a shell does before it becomes opk-verify.
    func ask(
        _ login: MintedLogin, as account: String = "guest", options: [String]? = nil, program: String = Program.verify,
        environment: [String: String] = environment, output: Program.Output = .read, surroundings: String? = nil
    ) throws -> Run {
        let words = try words(login, as: account, options: options)
        guard let surroundings else { return try Program.run(program, words, environment: environment, output: output) }
        let script = Array("\(surroundings)\nexec \"$@\"".utf8)
        return try Program.run(
            "/bin/sh", [Array("-c".utf8), script, Array("sh".utf8), Array(program.utf8)] + words, environment: environment, output: output)
    }

    /// opk-verify in a folder of its own, with this script beside it as opk-fetch. `$here` is where it may write, the cache's
    /// folder: for what it notes down.
    func program(withFetcher script: String) throws -> String {
        let libexec = folder + "/libexec"
        try FileManager.default.createDirectory(
            atPath: libexec, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        try FileManager.default.copyItem(atPath: Program.verify, toPath: libexec + "/opk-verify")
        let text = "#!/bin/sh\nhere='\(cacheFolder)'\n\(script)\n"
        guard
            FileManager.default.createFile(
                atPath: libexec + "/opk-fetch", contents: Data(text.utf8), attributes: [.posixPermissions: 0o755])
        else { throw CocoaError(.fileWriteUnknown) }
        return libexec + "/opk-verify"
    }

    /// What the script noted down under this name; nil where it did not.
    func note(_ name: String) -> [UInt8]? {
        FileManager.default.contents(atPath: cacheFolder + "/" + name).map(Array.init)
    }
}

/// What only root can arrange for a test: another owner of a file, or another folder in the place of /etc, seen by one process alone.
enum Root {
    static let isHere: Bool = geteuid() == 0

    static let canMount: Bool = isHere && (try? Program.shell("exec unshare --mount mount --bind /tmp /etc"))?.status == 0

    /// For `surroundings`: in a mount namespace of its own, sees `folder` where `place` is.
    static func seeing(_ folder: String, at place: String, then: String = "") -> String {
        // The inner shell's arguments are the outer one's.
        "exec unshare --mount sh -c 'mount --bind \(folder) \(place) || exit 99; \(then) exec \"$@\"' sh \"$@\""
    }

    /// Nobody's user and group id.
    static let nobody: UInt32 = 65534
    /// For `then`: goes on as nobody.
    static let asNobody = "set -- setpriv --reuid 65534 --regid 65534 --clear-groups \"$@\";"
}
