public import Vocabulary

/// The provider of the trial logins of `opk setup server`, which does not exist: nothing resolves below `.invalid` (RFC 6761 section 6.4).
public enum TrialIssuer {
    public static let text: Text = "https://trial.opk.invalid"
}
