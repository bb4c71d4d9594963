import ChildProcess
import SafeFiles
import Verifier
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// opk-home, which reads ~ACCOUNT/.opk/auth_id.
struct HomeCommand {
    /// As it came from sshd.
    let account: [UInt8]
    /// Else it is run as this user: root, or with a configuration of one's own.
    let bySudo: Bool

    static let sudo = "/usr/bin/sudo"
    static var program: String? { Programs.folder.map { $0 + "opk-home" } }

    init(_ arguments: Arguments) {
        account = arguments.request.account
        bySudo = !arguments.isOwnConfiguration && geteuid() != 0
    }

    /// sudo 1.9.16 and 1.9.17 crash where there is no variable at all.
    private static let environment = ProcessEnvironment(entries: [Array("PATH=/usr/sbin:/usr/bin:/sbin:/bin".utf8)])

    /// - Parameter deadline: in milliseconds from now.
    func ask(within deadline: Int) -> HelperAnswer {
        guard AccountName.isSafe(account) else { return .failed("the account's name is not one that may be written down") }
        guard let program = HomeCommand.program else { return .failed("where opk-home lies cannot be told") }
        let (command, arguments) = bySudo ? (HomeCommand.sudo, ["-n", "--", program]) : (program, [])
        let outcome: ChildProcess.Outcome
        do {
            outcome = try ChildProcess.run(
                command, arguments, environment: bySudo ? HomeCommand.environment : .empty, input: account + [UInt8(ascii: "\n")],
                outputLimit: HomeFile.limit,
                errorOutput: .captured(limit: 1024), deadline: deadline)
        } catch {
            return .failed("opk-home cannot be asked: \(error)")
        }
        return HomeCommand.answer(outcome.ending, outcome.output, outcome.errorOutput, deadline)
    }

    /// Exit statuses: those of opk-home; sudo has 1 for all that goes wrong with it.
    static func answer(_ ending: ChildProcess.Ending, _ output: [UInt8], _ complaint: [UInt8], _ deadline: Int) -> HelperAnswer {
        switch ending {
        case .exited(0): return HelperAnswer(.done, output)
        case .exited(3) where output.isEmpty: return HelperAnswer(.absent)
        case .exited(1) where complaint.starts(with: own): return .failed(sentence(complaint.dropFirst(own.count)))
        case .exited:
            let said = complaint.isEmpty ? "it said nothing" : sentence(complaint[...])
            return .failed("opk-home cannot be asked: \(said) (is the rule /etc/sudoers.d/opk there?)")
        case .timedOut: return .failed("opk-home did not answer within \(deadline / 1000).\(deadline % 1000 / 100) s")
        case .killed(let signal): return .failed("opk-home, or sudo that starts it, was ended by signal \(signal)")
        case .tooMuchOutput: return .failed("opk-home answered too much")
        }
    }

    private static let own = Array("opk-home: ".utf8)

    private static func sentence(_ said: ArraySlice<UInt8>) -> String {
        Text(String(decoding: said.prefix { $0 != 0x0A }, as: UTF8.self)).escapedOnce(limit: 512)
    }
}
