public import PKToken
public import SSHKeys
public import SafeFiles
public import Vocabulary

/// What `auth_id` says about one account, or about all of them.
///
/// The file may have a million rows and is read on every login: it is looked through in chunks, a row of another account is passed over
/// after its first column, and only rows that can matter are kept.
public struct AuthID: Hashable, Sendable {
    /// The good rows that were asked for, in the file's order.
    public private(set) var rows: [AuthRow] = []
    /// Rows that grant nothing although they are of this account: the first `maximumProblems`.
    public private(set) var problems: [RowProblem] = []
    /// How many good rows there are for this account, and how many of those are of the issuer that was asked for.
    public private(set) var accountRows = 0
    public private(set) var issuerRows = 0

    /// Rows of this account and issuer were left out that userinfo's claims might name: seen only where they were looked for.
    public private(set) var othersAskForClaims = false

    public static let maximumProblems = 1000

    /// The rows of one account and issuer; none where the file is absent.
    public init(for account: Principal, of issuer: Text, at path: String, trust: FileTrust) throws(UnsafeFile) {
        try self.init(Request(account: account, issuer: issuer), at: path, trust) { _ in true }
    }

    /// The rows of one account, whosever they are: for explaining.
    public init(for account: Principal, at path: String, trust: FileTrust) throws(UnsafeFile) {
        try self.init(Request(account: account), at: path, trust) { _ in true }
    }

    /// Of those, the ones that name this identity, by the ID token or by what userinfo says: few, even where an account has a million rows.
    public init(
        for account: Principal, naming identity: VerifiedIdentity, userinfo: UserinfoAnswer = .notAsked, at path: String, trust: FileTrust
    ) throws(UnsafeFile) {
        var person = Person(identity)
        var other: Person?
        if case .verified(let answer) = userinfo { other = Person(answer.claims, beside: person) }
        var request = Request(account: account, issuer: identity.issuer)
        request.others = Bystanders(account: account.text, apartFrom: person, and: other)
        if case .notAsked = userinfo { request.looksForOthers = identity.accessToken != nil }
        try self.init(request, at: path, trust) { row in
            if person.isMeant(by: row) != .no { return true }
            guard var asked = other else { return false }
            defer { other = asked }
            return asked.isMeant(by: row) != .no
        }
    }

    /// The rows of all accounts and issuers, for looking the file over.
    public init(at path: String, trust: FileTrust) throws(UnsafeFile) {
        try self.init(Request(), at: path, trust) { _ in true }
    }

    /// What a home file says, which counts for its own account alone.
    public init(home bytes: [UInt8], of account: Principal, naming identity: VerifiedIdentity) {
        var person = Person(identity)
        let mayAsk = identity.accessToken != nil
        self.init(Request(account: account, issuer: identity.issuer, isHome: true), bytes) { row in
            mayAsk && row.asksForClaims || person.isMeant(by: row) != .no
        }
    }

    /// The rows that a home file of this account has for anybody, for looking it over.
    public init(home bytes: [UInt8], of account: Principal) {
        self.init(Request(account: account, isHome: true), bytes) { _ in true }
    }

    private init(_ request: Request, _ bytes: [UInt8], keeping: (Identity) -> Bool) {
        var reader = Reader(request: request)
        LineSplitter.eachLine(of: bytes, beginningWith: request.firstWord) { line in reader.take(line, keeping: keeping) }
        self = reader.found
    }

    /// The same of a text; where an account or an issuer is given, only theirs.
    public init(parsing bytes: [UInt8], for account: Principal? = nil, of issuer: Text? = nil) {
        self.init(Request(account: account, issuer: issuer), bytes) { _ in true }
    }

    init(_ request: Request, at path: String, _ trust: FileTrust, keeping: (Identity) -> Bool) throws(UnsafeFile) {
        var reader = Reader(request: request)
        if let file = try SafeFile(path, trust: trust) {
            try file.eachLine(beginningWith: request.firstWord) { line in reader.take(line, keeping: keeping) }
        }
        self = reader.found
    }

    private init() {}

    /// Whose rows are asked for; nil: everybody's.
    struct Request {
        var account: Principal?
        var issuer: Text?
        /// Rows of the account that need not be kept, whoever's issuer they are of.
        var others: Bystanders?
        /// Whether to tell that there are rows which userinfo's claims might name.
        var looksForOthers = false
        /// Whether it is a home file.
        var isHome = false

        /// What their lines begin with: the account, or the `*` that may stand for it.
        var firstWord: FirstWord? { account.map { FirstWord($0.text.utf8, orBeginningWith: UInt8(ascii: "*")) } }
    }

    private struct Reader {
        let request: Request
        var found = AuthID()
        /// The last issuer column that was found good: most rows have the same.
        private var knownIssuer: Text? {
            didSet { isRequestedIssuer = knownIssuer == request.issuer }
        }
        /// Compared once and not a million times.
        private var isRequestedIssuer = false

        init(request: Request) { self.request = request }

        mutating func take(_ line: ScannedLine, keeping: (Identity) -> Bool) {
            if let others = request.others, let issuer = knownIssuer, line.isWhole, others.have(line.bytes.span, of: issuer.utf8) {
                found.accountRows += 1
                guard isRequestedIssuer else { return }
                found.issuerRows += 1
                if request.looksForOthers && !found.othersAskForClaims { found.othersAskForClaims = line.bytes.contains(UInt8(ascii: "@")) }
                return
            }
            do {
                guard let columns = try Columns(line) else { return }
                let row = try AuthRow(columns, line: line.number, knownIssuer: &knownIssuer, isHome: request.isHome)
                if let account = request.account, !row.account.includes(account) { return }
                found.accountRows += 1
                if let issuer = request.issuer, row.issuer != issuer { return }
                found.issuerRows += 1
                if keeping(row.identity) {
                    found.rows.append(row)
                } else if request.looksForOthers && row.identity.asksForClaims {
                    found.othersAskForClaims = true
                }
            } catch {
                if found.problems.count < AuthID.maximumProblems {
                    found.problems.append(RowProblem(line: line.number, text: error.text))
                }
            }
        }
    }
}
