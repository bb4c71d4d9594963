import Policy
import SSHKeys
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Auditor {
    private static let mostHomes = 100_000

    /// Each account's own file. Root looks at all of them, anybody else at their own.
    mutating func auditHomes() {
        guard policy.readsHomeFiles else { return }
        let accounts = places.homes ?? Account.listed(atMost: Auditor.mostHomes)
        let mine = geteuid()
        var seen: Set<String> = []
        for account in accounts where mine == 0 || account.user == mine {
            guard account.home.hasPrefix("/"), seen.insert(account.name).inserted else { continue }
            audit(home: account)
        }
    }

    private mutating func audit(home account: Account) {
        let file = account.home + "/.opk/auth_id"
        // Most accounts have none, in homes that are nobody's.
        guard FileFacts(file, following: true) != nil || FileFacts(file) != nil else { return }
        let content: [UInt8]
        do throws(UnsafeFile) {
            guard let bytes = try HomeFile.read(of: account.user, home: account.home) else { return }
            content = bytes
        } catch {
            found.add(.homeFile, file, "\(error): it grants nothing", remedy: Auditor.remedy(error, account))
            return
        }
        guard let name = Principal(Text(account.name)) else {
            found.add(.homeFile, file, "\(Text(account.name)) is no name that an account may have here: it grants nothing")
            return
        }
        let authID = AuthID(home: content, of: name)
        for problem in authID.problems { found.add(.homeRow, file, line: problem.line, problem.text + ": the row grants nothing") }
        for row in authID.rows { audit(row, file, isHome: true) }
        let all = AuthID(parsing: content)
        for problem in all.problems where !authID.problems.contains(where: { $0.line == problem.line }) {
            found.add(.homeRow, file, line: problem.line, problem.text + ": the row grants nothing")
        }
        for row in all.rows where row.account != .named(name) {
            guard row.account != .byClaim else { continue }
            found.add(.homeIdle, file, line: row.line, "in this file only rows of \(name.text) count")
        }
        if places.looksAtMachine && FileFacts(places.helperFolder + "/opk-home") == nil {
            found.add(.homeIdle, file, "without opk-home nobody reads it: it grants nothing", remedy: places.reinstall)
        }
        policy.homes.append(
            AuditReport.HomeVerdict(file: file, account: account.name, rows: authID.rows.prefix(1000).map(AuditReport.RowVerdict.init)))
    }

    /// At the file or folder where the fault is. As the account itself: what lies there can be another thing by the time that the command is typed, and
    /// must not become one of root's that is given away.
    private static func remedy(_ unsafe: UnsafeFile, _ account: Account) -> String? {
        let path = shellWord(unsafe.path)
        let command: String
        switch unsafe.fault {
        case .writableByOthers: command = "chmod go-w \(path)"
        case .openToOthers: command = "chmod 600 \(path)"
        default: return nil
        }
        return geteuid() == 0 ? "runuser -u \(shellWord(account.name)) -- \(command)" : command
    }
}
