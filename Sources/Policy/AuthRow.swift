public import SSHKeys
public import Vocabulary

/// One good row of `auth_id`: this identity of this issuer may log in as this account, if the options say nothing else.
public struct AuthRow: Hashable, Sendable {
    /// Counted from 1; not part of what the row says.
    public let line: Int
    public let account: AccountColumn
    public let identity: Identity
    /// Compared byte for byte with the token's.
    public let issuer: Text
    public let options: RowOptions

    public enum AccountColumn: Hashable, Sendable {
        case named(Principal)
        /// `*`: whatever account the row's `account-claim` names.
        case byClaim

        func includes(_ account: Principal) -> Bool {
            switch self {
            case .named(let name): name == account
            case .byClaim: true
            }
        }
    }

    /// `knownIssuer` need not be checked again, and becomes this row's.
    init(_ columns: Columns, line: Int, knownIssuer: inout Text?, isHome: Bool = false) throws(RowFault) {
        guard columns.words.count == Columns.maximum else {
            throw RowFault("a row has three columns (account, identity, issuer), this one \(columns.words.count)")
        }
        options = try RowOptions(columns.rest, isHome: isHome)
        if columns.words[0] == "*" {
            guard options.accountClaim != nil else {
                throw RowFault("* as the account needs account-claim=\"CLAIM\": no row is for every account")
            }
            account = .byClaim
        } else {
            guard let name = Principal(columns.words[0]) else { throw RowFault("\(columns.words[0]) is not an account name") }
            account = .named(name)
        }
        self.line = line
        identity = try Identity(columns.words[1])
        if let known = knownIssuer, columns.words[2] == known {
            issuer = known
        } else {
            issuer = columns.words[2]
            try IssuerURL.check(issuer)
            knownIssuer = issuer
        }
    }
}

extension AuthRow.AccountColumn: CustomStringConvertible {
    /// As the first column has it.
    public var description: String {
        switch self {
        case .named(let name): name.description
        case .byClaim: "*"
        }
    }
}
