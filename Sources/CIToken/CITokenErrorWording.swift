import Vocabulary

// What somebody reads in a job's log. Everything foreign in it is escaped.

extension CITokenError: CustomStringConvertible {
    /// What went wrong, without a full stop.
    public var description: String {
        switch self {
        case .notInside(let system):
            "\(system.aliases[0]) is for jobs of \(system.title), and this is none (\(system.marker) is not set)"
        case .otherSystem(let named, let running):
            "\(named.aliases[0]) is for jobs of \(named.title), and this is one of \(running.title)"
        case .notPermitted(let system):
            "\(system.title) does not let this job ask for an identity (\(Variable.requestURL) or \(Variable.requestToken) is not set)"
        case .noToken: "GitLab gave this job no identity (\(Variable.gitLabToken) is not set)"
        case .tokenMalformed: "what is in \(Variable.gitLabToken) is not an ID token"
        case .audience(let said):
            "the token in \(Variable.gitLabToken) is not meant for this: its audience (aud) is "
                + (said.map { $0.escaped(limit: 120) } ?? "not a single text")
        case .expired(let end, let now): "the token in \(Variable.gitLabToken) was good until \(end), and now it is \(now)"
        case .requestURL(let why): "what is in \(Variable.requestURL) cannot be asked: \(why)"
        case .unknownOrigin(let host):
            "\(Variable.requestURL) is neither github.com's nor that of a Forgejo (its host is \(host.escaped(limit: 120)))"
        case .request(let system, let error): "\(system.title) was asked for an identity and did not answer: \(error)"
        case .status(let system, let status): "\(system.title) was asked for an identity and answered with status \(status)"
        case .answer(let system, let why): "what \(system.title) answered is not an identity: \(why)"
        case .otherIssuer(let said, let expected):
            "the token is of \(said.map { $0.escaped(limit: 120) } ?? "nobody"), and not of \(expected.escaped(limit: 120))"
        case .algorithm(let name):
            "the token is signed with \(name.map { $0.escaped(limit: 20) } ?? "no algorithm"), and only RS256 can be proven without showing it"
        case .noKey: "the issuer's key set has no key, or several, by which the token can have been signed"
        case .signature: "the token's signature is not by its issuer's key"
        }
    }

    /// What to do about it, where that can be guessed. It names the line of the workflow.
    public var hint: String? {
        switch self {
        case .notInside: "on a laptop: `opk login ALIAS` with a provider that one logs in to in the browser"
        case .otherSystem(_, let running): "run `opk login \(running.aliases[0])`, or `opk login` alone"
        case .notPermitted(.github):
            "add `permissions: {id-token: write, contents: read}` to the job in the workflow file; a pull request from a fork never gets it"
        case .notPermitted:
            "add `enable-openid-connect: true` to the workflow or the job; it takes Forgejo 15 or later"
        case .noToken, .tokenMalformed, .audience:
            "add to the job in .gitlab-ci.yml: `id_tokens: {OPENPUBKEY_JWT: {aud: \"OPENPUBKEY-PKTOKEN:opk\"}}`; on the server the row of "
                + "providers has the same text as client id"
        case .expired: "GitLab makes the token when the job starts: run `opk login` early in the job, or raise the job's `timeout:`"
        case .requestURL, .unknownOrigin: "an enterprise server of GitHub's own is not supported; a Forgejo must be reached by https"
        case .status(let system, 401), .status(let system, 403):
            "the runner's token was refused; has this job of \(system.title) been over for a while, or is it not allowed to?"
        case .request, .status: "run the job again: the service may be out of order for a while"
        case .otherIssuer: "CI_SERVER_URL must be, letter by letter, what tokens have as iss"
        case .algorithm: "on a Forgejo an administrator chooses RS256 for the tokens of Actions in app.ini"
        case .noKey, .signature: "the issuer may be changing its keys; run the job again in a minute"
        case .answer: nil
        }
    }
}

extension CISystem {
    /// The variable that is "true" in its jobs.
    fileprivate var marker: String {
        switch self {
        case .github: "GITHUB_ACTIONS"
        case .forgejo: "FORGEJO_ACTIONS"
        case .gitlab: "GITLAB_CI"
        }
    }
}
