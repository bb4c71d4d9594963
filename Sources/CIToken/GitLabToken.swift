import ChildProcess
import JOSE
import Vocabulary

/// The ID token that GitLab put into a job's environment when it started, because .gitlab-ci.yml asks for it:
///
///     id_tokens:
///       OPENPUBKEY_JWT:
///         aud: OPENPUBKEY-PKTOKEN:NAME
///
/// The audience's prefix says that it may become a PK token: without it anybody who is shown a job's token could bind it to a key.
struct GitLabToken {
    let issuer: Text
    let audience: Text
    let token: JWS

    static let audiencePrefix: Text = "OPENPUBKEY-PKTOKEN:"
    private static let issuer: Text = "https://gitlab.com"

    init(_ environment: ProcessEnvironment, at now: UnixTime) throws(CITokenError) {
        guard let text = environment.value(Variable.gitLabToken) else { throw .noToken }
        let claims: JSONObject
        do throws(JWSError) {
            token = try JWS(parsing: Array(text.utf8))
            claims = try token.payload()
        } catch {
            throw .tokenMalformed
        }
        // opkssh takes no list of audiences here, and so no server may.
        guard let audience = claims["aud"]?.string, audience.hasPrefix(GitLabToken.audiencePrefix),
            audience.count > GitLabToken.audiencePrefix.count
        else { throw .audience(claims["aud"]?.string) }
        self.audience = audience
        issuer = environment.value(Variable.gitLabURL).map { Text($0) } ?? GitLabToken.issuer
        guard claims["iss"]?.string == issuer else { throw .otherIssuer(claims["iss"]?.string, expected: issuer) }
        if let end = claims["exp"]?.number?.time, end <= now { throw .expired(end, now) }
    }
}
