import Policy
import SafeFiles
import Vocabulary

/// A file that `opk edit` takes, with its reader.
public enum EditableFile: String, CaseIterable, Sendable {
    case authID = "auth_id"
    case providers
    case config = "config.yml"
    case revoked

    func file(in place: PolicyPlace) throws(PolicyError) -> PolicyFile {
        self == .authID ? place.authID : try place.systemFile(rawValue)
    }

    /// What the verifier would find wrong with it, each with its line; none where it is good.
    func faults(_ text: [UInt8], in place: PolicyPlace) -> [String] {
        if text.contains(0) { return ["it contains a NUL byte, so it is not a text file"] }
        if text.count > SafeFile.largest { return ["it is over \(SafeFile.largest) bytes"] }
        switch self {
        case .authID: return authIDFaults(text, in: place)
        case .providers: return Providers(parsing: text).problems.map(\.description)
        case .config: return fault { () throws(ConfigurationError) in _ = try ServerConfig(parsing: text) }
        case .revoked: return fault { () throws(ConfigurationError) in _ = try Revocations(parsing: text) }
        }
    }

    /// In a home file every line is looked at, and not only those that begin with the account: the others grant nothing either.
    private func authIDFaults(_ text: [UInt8], in place: PolicyPlace) -> [String] {
        guard case .home(let account) = place.kind else { return place.rows(of: text).problems.map(\.description) }
        var faults: [(line: Int, text: String)] = place.rows(of: text).problems.map { ($0.line, $0.description) }
        let all = AuthID(parsing: text)
        for problem in all.problems where !faults.contains(where: { $0.line == problem.line }) {
            faults.append((problem.line, problem.description))
        }
        for row in all.rows {
            guard case .named(let other) = row.account, other != account else { continue }
            faults.append((row.line, "line \(row.line): in this file only rows of \(account) count"))
        }
        return faults.sorted { $0.line < $1.line }.map(\.text)
    }

    private func fault(_ body: () throws(ConfigurationError) -> Void) -> [String] {
        do {
            try body()
            return []
        } catch {
            return [error.description]
        }
    }

    /// What would follow if such faults were installed.
    public var consequence: String {
        switch self {
        case .authID: "Nobody would be admitted through such a row; the others would count."
        case .providers: "Nobody would be admitted whose login is such a row's; the others would count."
        case .config: "NOBODY WOULD BE ADMITTED: a config.yml that cannot be read refuses everybody."
        case .revoked: "NOBODY WOULD BE ADMITTED: a file revoked with a row that cannot be read refuses everybody."
        }
    }
}
