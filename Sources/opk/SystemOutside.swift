import CSystem
import ChildProcess
import PKToken
import Plugins
import Policy
import PolicyExplanation
import SSHKeys
import SafeFiles
import Verifier
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What an explanation asks this system for.
enum SystemOutside {
    static func outside(_ folder: PolicyFolder) -> Outside {
        var outside = Outside()
        let plugins = PluginFolder.read(folder.path + "/policy.d", trust: folder.trust)
        outside.pluginNames = plugins.plugins.map { $0.name.string } + plugins.problems.map { "\($0)" }
        outside.userID = number
        outside.home = home
        return outside
    }

    /// The plugins, run by the one who asks: root, or with `--config-dir` whoever it is.
    static func plugins(_ folder: PolicyFolder, _ request: LoginRequest) throws(ExplainError)
        -> (VerifiedIdentity, Principal, UserinfoAnswer) -> PluginAnswer
    {
        guard geteuid() == 0 || folder.path != PolicyFolder.standard else { throw .usage("--run-plugins is for root: use sudo") }
        let runner = PluginRunner(folder: folder.path + "/policy.d", trust: folder.trust)
        return { identity, account, userinfo in
            var known: VerifiedUserinfo?
            if case .verified(let answer) = userinfo { known = answer }
            return runner.ask(
                PluginQuestion(
                    account: account, key: request.key, type: request.type, extra: [], identity: identity, userinfo: known,
                    groupsClaim: identity.row.groupsClaim ?? "groups"))
        }
    }

    /// By opk-home, as opk-verify has it read.
    private static func home(of account: Principal) -> HomeReading {
        guard geteuid() == 0 || number(of: account) == .known(geteuid()) else {
            return .unread("only root, or the account itself, can read it: use sudo")
        }
        guard let program = program("opk-home") else { return .unread("opk-home is not installed beside opk") }
        let outcome: ChildProcess.Outcome
        do {
            outcome = try ChildProcess.run(
                program, [account.description], environment: .empty, outputLimit: 2 << 20, errorOutput: .captured(limit: 1024),
                deadline: 10_000)
        } catch { return .unread("\(error)") }
        switch outcome.ending {
        case .exited(0): return .content(outcome.output)
        case .exited(3): return .absent
        case .exited: return .unusable(escaped(outcome.errorOutput.prefix { $0 != 0x0A }, limit: 512))
        case .killed, .timedOut, .tooMuchOutput: return .unusable("opk-home did not answer")
        }
    }

    /// One of the server's programs: beside this one, as built, or where it is installed.
    static func program(_ name: String) -> String? {
        // The text is copied.
        guard let own = unsafe opk_own_folder().flatMap({ unsafe String(validatingCString: $0) }) else { return nil }
        return [own + name, own + "../libexec/opk/" + name].first { unsafe access($0, X_OK) == 0 }
    }

    /// As opk-verify asks.
    private static func number(of account: Principal) -> UserIDAnswer {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 64 << 10)
        // The call writes into `entry` and the buffer, both of which outlive it.
        let error = unsafe getpwnam_r(account.description, &entry, &buffer, buffer.count, &found)
        return unsafe error == 0 && found != nil ? .known(entry.pw_uid) : .unknown
    }
}
