import ArgumentParser
import ChildProcess
import Login
import SSHConfiguration

/// Whether a login takes place at all.
struct LoginNeedOptions: ParsableArguments {
    @Flag(help: "Do nothing where a login stands; for ssh, see opk setup ssh.")
    var ifNeeded = false

    /// `opk setup ssh` asks what ssh understands, and wants no login.
    var isCheck: Bool { ifNeeded && ProcessEnvironment.inherited()[SSHCheck.variable]?.isEmpty == false }

    func check(_ key: LoginKeyOptions) throws(LoginError) {
        guard ifNeeded else { return }
        if key.printKey { throw .notTogether("--if-needed", "--print-key") }
        if key.printIdToken { throw .notTogether("--if-needed", "--print-id-token") }
    }
}
