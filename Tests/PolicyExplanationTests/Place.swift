import ChildProcess
import Foundation
import JOSE
import KeyCache
import MintingKit
import Policy
import PolicyExplanation
import SSHKeys
import TestSupport
import Testing
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A server's files in a folder of its own.
final class Place: Sendable {
    let folder: String
    var config: String { folder + "/etc" }
    var cacheFolder: String { folder + "/cache" }
    var stateFolder: String { folder + "/state" }
    var policy: PolicyFolder { PolicyFolder(config, cacheFolder: cacheFolder) }

    static let issuer = MintedLogin.issuer
    static let now = MintedLogin.now

    static let isRoot: Bool = geteuid() == 0

    init() throws {
        // A plugin may have nothing above it that others may write.
        folder = (Place.isRoot ? "/run" : "/tmp") + "/opk-explain-" + UUID().uuidString.prefix(8)
        for path in [folder, config, cacheFolder, stateFolder] {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        }
        try write(
            "providers",
            "\(Place.issuer.string) \(MintedLogin.clientID.string) 24h\nhttps://other.example other 8h groups-claim=\"roles\"\n")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func write(_ name: String, _ text: String) throws { try put(config + "/" + name, Array(text.utf8), 0o640) }

    func read(_ name: String) throws -> String { try String(contentsOfFile: config + "/" + name, encoding: .utf8) }

    func put(_ path: String, _ bytes: [UInt8], _ mode: Int) throws {
        try? FileManager.default.removeItem(atPath: path)
        guard FileManager.default.createFile(atPath: path, contents: Data(bytes), attributes: [.posixPermissions: mode]) else {
            throw CocoaError(.fileWriteUnknown)
        }
    }

    /// The provider's keys, fetched a minute before `at`.
    func keep(_ keys: [JSON], of issuer: Text = Place.issuer, at now: UnixTime = Place.now) throws {
        let record = CachedKeys(
            issuer: issuer, keysURI: Text(issuer.string + "/jwks"), userinfoEndpoint: nil, fetchedAt: now + -60,
            body: (["keys": .array(keys)] as JSON).serialized)
        try policy.cache.write(try #require(record))
    }

    /// `NAME=VALUE` words about alice.
    func person(_ words: [String] = [], email: Text? = "alice@example.com", issuer: Text? = Place.issuer) throws -> Supposition {
        var person = SupposedPerson()
        person.email = email
        person.subject = "alice-1"
        person.issuer = issuer
        for word in words { try person.add(claim: Text(word)) }
        return try person.supposition(in: try policy.providers(), at: Place.now)
    }

    func explain(
        _ person: Supposition, as account: String = "root", at now: UnixTime = Place.now, from address: Text? = nil,
        _ outside: Outside = Outside()
    ) throws -> Explanation {
        Examination(policy, outside, at: now, from: address.flatMap { NetworkAddress($0) })
            .explain(supposing: person, as: try #require(Principal(Text(account))))
    }

    func request(_ login: MintedLogin, as account: String) throws -> LoginWords {
        let blob = try login.certificate()
        return LoginWords(account: account, key: Base64.encode(blob), type: try SSHCertificate(parsing: blob).type)
    }

    func explain(_ login: MintedLogin, as account: String = "root", at now: UnixTime = Place.now, _ outside: Outside = Outside()) throws
        -> Explanation
    {
        let words = try request(login, as: account)
        return Examination(policy, outside, at: now, from: nil)
            .explain(try CertificateArgument.request(for: Text(account), words.type + " " + words.key))
    }

    static func run(_ program: String, _ words: [String], input: [UInt8] = [], preload: String? = nil, time: Int64? = nil) throws -> Run {
        var environment = ProcessEnvironment.empty
        (environment["PATH"], environment["LC_ALL"], environment["TZ"]) = ("/usr/bin:/bin", "C.UTF-8", "UTC")
        if let preload, let time {
            let format = DateFormatter()
            format.dateFormat = "yyyy-MM-dd HH:mm:ss"
            format.timeZone = TimeZone(identifier: "UTC")
            format.locale = Locale(identifier: "en_US_POSIX")
            environment["LD_PRELOAD"] = preload
            environment["FAKETIME"] = "@" + format.string(from: Date(timeIntervalSince1970: Double(time)))
            environment["FAKETIME_DONT_FAKE_MONOTONIC"] = "1"
            environment["DONT_FAKE_MONOTONIC"] = "1"
        }
        let outcome = try ChildProcess.run(
            BuiltPrograms.path(program), words, environment: environment, input: input, outputLimit: 32 << 20,
            errorOutput: .captured(limit: 1 << 20), deadline: 120_000)
        guard case .exited(let status) = outcome.ending else { throw CocoaError(.executableRuntimeMismatch) }
        return Run(
            status: status, output: String(decoding: outcome.output, as: UTF8.self),
            errors: String(decoding: outcome.errorOutput, as: UTF8.self))
    }

    struct Run: Sendable {
        let status: Int32
        let output: String
        let errors: String
    }

    struct LoginWords {
        let account: String
        let key: String
        let type: String
    }

    /// `opk explain` or `opk test`, on this place's files.
    func opk(_ words: String..., input: String = "") throws -> Run {
        let folders =
            words[0] == "test"
            ? ["--config-dir", config] : ["--config-dir", config, "--cache-dir", cacheFolder, "--state-dir", stateFolder]
        return try Place.run("opk", words + folders, input: Array(input.utf8))
    }
}
