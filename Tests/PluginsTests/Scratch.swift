import Foundation
import JOSE
import MintingKit
import PKToken
import SSHKeys
import SafeFiles
import TestSupport
import Vocabulary

@testable import Plugins
@testable import Policy

/// A policy.d of a test's own, and programs beside it; removed when the test lets it go. Below the checkout, since no folder on the way to
/// a plugin may be writable by others, which /tmp is.
final class Scratch {
    let folder: String
    let trust = FileTrust.rootOrUser(getuid())

    /// Whether a plugin below the checkout can be run at all.
    static let isUsable: Bool = {
        let scratch = Scratch()
        let program = scratch.program("true", "exit 0")
        return (try? TrustedProgram.check(program, trust: scratch.trust)) != nil
    }()

    init() {
        folder = SharedData.packageRoot.path + "/.build/plugin-test-" + UUID().uuidString
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        chmod(folder, 0o755)
        mkdir(folder + "/policy.d", 0o755)
        chmod(folder + "/policy.d", 0o755)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func path(_ name: String) -> String { folder + "/" + name }

    @discardableResult
    func put(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o640) -> String {
        _ = FileManager.default.createFile(atPath: path(name), contents: Data(bytes))
        chmod(path(name), mode)
        return path(name)
    }

    @discardableResult
    func plugin(_ file: String, _ text: String, mode: mode_t = 0o640) -> String { put("policy.d/" + file, Array(text.utf8), mode: mode) }

    /// A shell script of the test's own.
    @discardableResult
    func program(_ name: String, _ script: String, mode: mode_t = 0o755) -> String {
        put(name, Array("#!/bin/sh\n\(script)\n".utf8), mode: mode)
    }

    /// A plugin that is this script.
    func script(_ name: String, _ script: String, more: String = "") {
        plugin("\(name).yml", "name: \(name)\ncommand: \(program("\(name).sh", script))\n\(more)")
    }

    func read() -> PluginFolder { PluginFolder.read(path("policy.d"), trust: trust) }

    func ask(_ question: PluginQuestion? = nil, within limit: Int = .max) throws -> PluginAnswer {
        PluginRunner(folder: path("policy.d"), trust: trust).ask(try question ?? someQuestion(), within: limit)
    }
}

/// About a login that was minted, with these claims changed.
func someQuestion(_ claims: JSON = [:], extra: [[UInt8]] = [], userinfo: String? = nil, groupsClaim: Text = "groups") throws
    -> PluginQuestion
{
    var login = try MintedLogin()
    for member in claims.object?.members ?? [] { login.claims[member.name] = member.value }
    login.rewriteCertificate = { $0.extensions.insert(.init("openpubkey-act", value: Array("s3cret-access-token-of-alice".utf8)), at: 0) }
    let certificate = try login.certificate()
    guard let account = Principal("deploy") else { throw CocoaError(.coderInvalidValue) }
    let identity = try SSHCertificate(parsing: certificate).selfSigned(at: login.now).token()
        .checked(against: login.rows[0], at: login.now).verify(with: login.keySet)
    return PluginQuestion(
        account: account, key: Array(Base64.encode(certificate).utf8), type: Array("ssh-ed25519-cert-v01@openssh.com".utf8),
        extra: extra, identity: identity, userinfo: try userinfo.map { try VerifiedUserinfo(answer: Array($0.utf8), for: identity) },
        groupsClaim: groupsClaim)
}

extension PluginQuestion {
    /// By what follows the prefix, for a plugin without `timeout`.
    var variables: [String: String] {
        get throws {
            let plugin = try Plugin(file: "a.yml", parsing: Array("name: a\ncommand: /bin/a\n".utf8))
            return Dictionary(uniqueKeysWithValues: environment(for: plugin).map(variable))
        }
    }
}

extension PluginAnswer {
    var notes: [String] {
        switch self {
        case .notAsked, .none: []
        case .refused(let notes), .allowed(_, let notes): notes
        }
    }

    var isRefused: Bool { if case .refused = self { true } else { false } }
}
