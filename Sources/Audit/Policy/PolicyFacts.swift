import PKToken
import Policy
import SSHKeys
import SafeFiles
import Vocabulary

/// What the policy's files say, each read once, and what the rest of the audit wants to know about it.
struct PolicyFacts {
    /// Nil where the file cannot be used.
    var providers: Providers?
    var authID: AuthID?
    var config: ServerConfig?
    var revocations: Revocations?

    /// Of all these, once they have been read.
    var index = PolicyIndex()

    /// Rows for the report; the first `mostVerdicts`.
    var verdicts: [AuditReport.RowVerdict] = []
    var rowCount = 0
    var homes: [AuditReport.HomeVerdict] = []
    static let mostVerdicts = 10_000

    /// Accounts that rows name, each with its first row's line, in the file's order.
    private(set) var accounts: [(name: Text, line: Int)] = []
    private var seen: Set<Text> = []
    private(set) var rootRowsHaveCommands = true
    private(set) var environmentRows: [Int] = []
    private(set) var environmentIsPermitted = true

    var readsHomeFiles: Bool { config?.homePolicy ?? true }

    mutating func note(_ row: AuthRow) {
        rowCount += 1
        if verdicts.count < PolicyFacts.mostVerdicts { verdicts.append(AuditReport.RowVerdict(row)) }
        if row.options.session.contains(where: { $0.name == "environment" }) { environmentRows.append(row.line) }
        guard case .named(let account) = row.account else { return }
        if account.text == "root", !row.options.session.contains(where: { $0.name == "command" }) { rootRowsHaveCommands = false }
        if seen.insert(account.text).inserted { accounts.append((account.text, row.line)) }
    }

    mutating func permitsEnvironment(_ setting: String) { environmentIsPermitted = setting != "no" }

    func firstRow(of account: Text) -> Int? { accounts.first { $0.name == account }?.line }
}

extension AuditReport.RowVerdict {
    init(_ row: AuthRow) {
        self.init(line: row.line, account: row.account.description, identity: row.identity.description, issuer: row.issuer.string)
    }
}

extension Auditor {
    /// Reads the files; those that cannot be used are findings.
    mutating func readPolicy() {
        if FileFacts(places.configFolder, following: true) == nil && places.providersFile == nil && places.authIDFile == nil {
            found.add(
                .providerNone, places.configFolder, "there is no such folder: nobody is trusted and nobody may log in",
                remedy: places.reinstall)
            policy.config = ServerConfig()
            return
        }
        lookAbove(places.configFolder)
        do throws(UnsafeFile) { policy.providers = try Providers.read(places.providers, trust: trust) } catch {
            add(error, in: places.providers)
        }
        do throws(UnsafeFile) { policy.authID = try AuthID(at: places.authID, trust: trust) } catch { add(error, in: places.authID) }
        do throws(ServerConfig.Failure) {
            policy.config = try ServerConfig.read(places.config, trust: trust)
        } catch {
            add(error, .configBad, in: places.config)
        }
        do throws(ServerConfig.Failure) {
            policy.revocations = try Revocations.read(places.revoked, trust: trust, about: nil)
        } catch {
            add(error, .revokedBad, in: places.revoked)
        }
        policy.index = PolicyIndex(policy)
        for file in [places.providers, places.authID, places.config, places.revoked] { lookAround(file) }
        auditNames()
    }

    private mutating func add(_ failure: ServerConfig.Failure, _ code: FindingCode, in file: String) {
        switch failure {
        case .unsafe(let unsafe): add(unsafe, in: file)
        case .malformed(_, let error):
            found.add(
                code, file, line: error.line, error.text + ": nobody is admitted",
                remedy: "opk edit \(file == places.revoked ? "revoked" : "config.yml")")
        }
    }
}
