public import SSHKeys
public import Vocabulary

/// One good row of `auth_id`: this identity of this issuer may log in as this account.
public struct AuthRow: Hashable, Sendable {
    /// Counted from 1; not part of what the row says.
    public let line: Int
    public let account: Principal
    public let identity: Identity
    /// Compared byte for byte with the token's.
    public let issuer: Text

    /// `knownIssuer` need not be checked again, and becomes this row's.
    init(_ columns: Columns, line: Int, knownIssuer: inout Text?) throws(RowFault) {
        guard columns.words.count == Columns.maximum else {
            throw RowFault("a row has three columns (account, identity, issuer), this one \(columns.words.count)")
        }
        // Nothing of the fourth column is implemented: a row whose conditions we cannot keep must not grant anything.
        guard columns.rest.isEmpty else { throw RowFault("options (a fourth column) are not implemented in this version") }
        if columns.words[0] == "*" { throw RowFault("* as the account needs account-claim, which is not implemented in this version") }
        guard let account = Principal(columns.words[0]) else { throw RowFault("\(columns.words[0]) is not an account name") }
        self.line = line
        self.account = account
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
