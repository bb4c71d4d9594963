public import ChildProcess
public import Vocabulary

/// A CI system that gives its jobs an identity of their own, which servers can know (PROTOCOL section 1). The aliases are opkssh's.
public enum CISystem: Hashable, Sendable, CaseIterable {
    case github, forgejo, gitlab

    /// What `opk login` calls it; the first is the usual one.
    public var aliases: [Text] {
        switch self {
        case .github: ["github"]
        case .forgejo: ["forgejo", "codeberg"]
        case .gitlab: ["gitlab-ci"]
        }
    }

    public var title: String {
        switch self {
        case .github: "GitHub Actions"
        case .forgejo: "Forgejo Actions"
        case .gitlab: "GitLab CI"
        }
    }

    public init?(alias: Text) {
        guard let system = CISystem.allCases.first(where: { $0.aliases.contains(alias) }) else { return nil }
        self = system
    }

    /// The one in whose job this process runs. Forgejo sets GitHub's variables too, so that its own, and where the identity is asked for, come
    /// first.
    public init?(runningIn environment: ProcessEnvironment) {
        if environment["GITLAB_CI"] == "true" {
            self = .gitlab
        } else if let origin = ActionsOrigin(environment) {
            self = origin.system
        } else if environment["FORGEJO_ACTIONS"] == "true" {
            self = .forgejo
        } else if environment["GITHUB_ACTIONS"] == "true" {
            self = .github
        } else {
            return nil
        }
    }
}

/// The environment's names, GitHub's and Forgejo's being the same.
enum Variable {
    static let requestURL = "ACTIONS_ID_TOKEN_REQUEST_URL"
    static let requestToken = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
    static let gitLabURL = "CI_SERVER_URL"
    /// Whatever `id_tokens` of .gitlab-ci.yml calls it; this is what opkssh reads.
    static let gitLabToken = "OPENPUBKEY_JWT"
}

extension ProcessEnvironment {
    /// Set and not empty: an expression in a workflow that has no value leaves an empty variable.
    func value(_ name: String) -> String? {
        guard let value = self[name], !value.isEmpty else { return nil }
        return value
    }
}
