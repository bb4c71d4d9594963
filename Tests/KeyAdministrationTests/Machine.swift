import ChildProcess
import Foundation
import JOSE
import KeyCache
import LibCrypto
import MintingKit
import TestSupport
import Vocabulary

/// The server's side of a machine in a folder of its own: configuration, key cache, an identity provider on loopback, and `opk` to be run there.
/// Where root runs the tests, the cache is nobody's, as a fetcher's user has it.
final class Machine: Sendable {
    let folder: String
    let provider: ScriptedServer
    var issuer: Text { Text(provider.url) }
    var config: String { folder + "/etc" }
    var cacheFolder: String { folder + "/cache" }
    /// As the cache's owner sees it.
    var cache: KeyCache { KeyCache(directory: cacheFolder) }

    static let isRoot: Bool = geteuid() == 0
    static let nobody: UInt32 = 65534
    static let bin: String = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
    /// The programs as another user, which their folder must allow.
    static let canBecomeOthers: Bool =
        isRoot && (try? run("/usr/bin/setpriv", becoming(1) + [bin + "/opk", "--version"]))?.status == 0

    struct Run: Sendable {
        let status: Int32
        let output: String
        let errors: String
        var lines: [String] { output.split(separator: "\n").map(String.init) }
    }

    init() throws {
        provider = try ScriptedServer()
        // Short, without links on the way, and open to others.
        folder = "/tmp/opk-keys-" + UUID().uuidString.prefix(8)
        for path in [folder, config, cacheFolder] {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        }
        if Machine.isRoot { chown(cacheFolder, Machine.nobody, Machine.nobody) }
        try trust([issuer])
        serve()
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Rows of providers.
    func trust(_ issuers: [Text], _ options: String = "") throws {
        try write("etc/providers", issuers.map { "\($0.string) client 24h \(options)\n" }.joined())
    }

    func write(_ name: String, _ text: String, mode: Int = 0o644) throws {
        let path = folder + "/" + name
        try? FileManager.default.removeItem(atPath: path)
        guard FileManager.default.createFile(atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: mode]) else {
            throw CocoaError(.fileWriteUnknown)
        }
    }

    /// What the provider gives from now on.
    func serve(_ keys: [JSON] = [Machine.key("one")], headers: [String] = []) {
        let url = provider.url
        let keySet = Machine.keySet(keys)
        provider.play { request, connection in
            switch request.target {
            case "/.well-known/openid-configuration": connection.answer("{\"issuer\":\"\(url)\",\"jwks_uri\":\"\(url)/jwks\"}")
            case "/jwks": connection.answer(headers: headers, keySet)
            default: connection.answer(404, "{}")
            }
        }
    }

    static func key(_ name: String) -> JSON {
        MintedLogin.jwk(TestKeys.ed25519.publicKey, ["kid": .string(Text(name)), "alg": "EdDSA", "use": "sig"])
    }

    static func keySet(_ keys: [JSON]) -> [UInt8] { (["keys": .array(keys)] as JSON).serialized }

    /// A record that was fetched so many seconds ago.
    static func record(
        _ issuer: Text, age: Int64 = 0, keys: [JSON] = [key("one")], uri: Text? = nil, userinfo: Text? = nil, cacheSeconds: Int64? = nil
    ) throws -> CachedKeys {
        let record = CachedKeys(
            issuer: issuer, keysURI: uri ?? Text(issuer.string + "/jwks"), userinfoEndpoint: userinfo, fetchedAt: .now() + -age,
            cacheSeconds: cacheSeconds, body: keySet(keys))
        guard let record else { throw CocoaError(.coderInvalidValue) }
        return record
    }

    /// Puts it into the cache as its owner does; the path of its file.
    @discardableResult
    func keep(_ keys: CachedKeys) throws -> String {
        try cache.write(keys)
        let path = file(keys.issuer)
        if Machine.isRoot { chown(path, Machine.nobody, Machine.nobody) }
        return path
    }

    func file(_ issuer: Text) -> String {
        cacheFolder + "/" + Digest.sha256(issuer.utf8).map { String(format: "%02x", $0) }.joined() + ".json"
    }

    /// `opk keys`, with these words.
    func keys(_ words: String..., input: [UInt8] = [], as user: UInt32? = nil) throws -> Run {
        let whole = [Machine.bin + "/opk", "keys"] + words + ["--config-dir", config, "--cache-dir", cacheFolder]
        guard let user else { return try Machine.run(whole[0], Array(whole.dropFirst()), input: input) }
        return try Machine.run("/usr/bin/setpriv", Machine.becoming(user) + whole, input: input)
    }

    static func becoming(_ user: UInt32) -> [String] { ["--reuid", "\(user)", "--regid", "\(user)", "--clear-groups"] }

    static func run(_ program: String, _ words: [String], input: [UInt8] = []) throws -> Run {
        var environment = ProcessEnvironment.empty
        (environment["PATH"], environment["LC_ALL"], environment["TZ"]) = ("/usr/bin:/bin", "C.UTF-8", "UTC")
        let outcome = try ChildProcess.run(
            program, words, environment: environment, input: input, outputLimit: 32 << 20, errorOutput: .captured(limit: 1 << 20),
            deadline: 120_000)
        guard case .exited(let status) = outcome.ending else { throw CocoaError(.executableRuntimeMismatch) }
        return Run(
            status: status, output: String(decoding: outcome.output, as: UTF8.self),
            errors: String(decoding: outcome.errorOutput, as: UTF8.self))
    }

    /// The addresses that the provider was asked for.
    var asked: Int { provider.requests.count }

    /// The first entry of `opk keys --json` for this issuer.
    func entry(_ issuer: Text? = nil) throws -> JSON? {
        let run = try keys("--json")
        let json = try JSON(parsing: Array(run.output.utf8))
        return json["issuers"]?.array?.first { $0["issuer"]?.string == issuer ?? self.issuer }
    }
}
