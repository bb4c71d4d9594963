import Display
import Identities
public import JOSE
public import Vocabulary

// What `opk status` prints. Everything that a provider said is escaped.
extension IdentityOverview {
    public func lines(now: UnixTime) -> [String] {
        var lines: [String] = []
        for identity in identities {
            if !lines.isEmpty { lines.append("") }
            lines += identity.lines(now: now)
        }
        return lines + problems.map { "unreadable: \($0)" }
    }

    /// One line for a prompt; empty where there is nothing.
    public func short(now: UnixTime) -> String {
        identities.map { $0.short(now: now) }.joined(separator: ", ")
    }

    public func json(now: UnixTime) -> JSON {
        var object = JSONObject()
        object["identities"] = .array(identities.map { $0.json })
        object["problems"] = .array(problems.map { .string(Text($0)) })
        return .object(object)
    }
}

extension IdentityStatus {
    private var label: String { name?.text ?? "(not registered)" }

    func lines(now: UnixTime) -> [String] {
        var lines = ["\(label): \(who.escaped(limit: 200)) at \(issuer.escaped(limit: 200))"]
        lines.append("  \(validity(now))")
        lines.append("  \(keyWords)")
        if !hosts.isEmpty { lines.append("  for \(hosts.map { $0.escaped(limit: 100) }.joined(separator: " "))") }
        if let refreshToken {
            let last = refreshedAt.map { ", last \(RelativeTime.text($0, from: now))" } ?? ""
            if let refresherToStart {
                lines.append(
                    "  would be refreshed, but nobody does it\(last) (refresh token: \(refreshToken.rawValue)); start: \(refresherToStart)")
            } else {
                lines.append("  refreshed by itself\(last) (refresh token: \(refreshToken.rawValue))")
            }
        } else if let refreshedAt {
            lines.append("  refreshed \(RelativeTime.text(refreshedAt, from: now)), and not any more")
        }
        if let options { lines.append("  note: after a refresh ssh finds it with `ssh \(options) USER@HOST`, or after `opk setup ssh`") }
        lines += problems.map { "  problem: \($0)" }
        if let remedy { lines.append("  next: \(remedy)") }
        return lines
    }

    private func validity(_ now: UnixTime) -> String {
        guard let ends else { return "good without an end of its own; servers decide" }
        let time = "\(ends.local) (\(RelativeTime.text(ends, from: now)))"
        return state == .expired ? "expired \(time)" : "good until \(time)"
    }

    private var keyWords: String {
        let path = Text(keyFile).escaped
        switch store {
        case .file: return "key: \(path)"
        case .both: return "key: \(path), and ssh-agent"
        case .agent: return "key: ssh-agent (certificate: \(Text(certificateFile).escaped))"
        }
    }

    func short(now: UnixTime) -> String {
        let word = name?.text ?? who.escaped(limit: 60)
        switch state {
        case .good: return ends.map { "\(word) \(RelativeTime.span($0 - now))" } ?? word
        case .expired: return "\(word) expired"
        case .damaged: return "\(word) damaged"
        }
    }

    var json: JSON {
        var object = JSONObject()
        object["name"] = name.map { .string(Text($0.text)) } ?? .null
        object["state"] = .string(Text(state.rawValue))
        object["who"] = .string(who)
        object["subject"] = subject.map { .string($0) } ?? .null
        object["issuer"] = .string(issuer)
        object["client_id"] = clientID.map { .string($0) } ?? .null
        object["ends"] = ends.map { .number(JSONNumber($0.seconds)) } ?? .null
        object["store"] = .string(Text(store.rawValue))
        object["in_agent"] = isInAgent.map { .bool($0) } ?? .null
        object["key_file"] = store.usesFile ? .string(Text(keyFile)) : .null
        object["certificate_file"] = .string(Text(certificateFile))
        object["hosts"] = .array(hosts.map { .string($0) })
        object["refresh_token"] = refreshToken.map { .string(Text($0.rawValue)) } ?? .null
        object["refresher_runs"] = isLookedAfter.map { .bool($0) } ?? .null
        object["remedy"] = remedy.map { .string(Text($0)) } ?? .null
        object["ssh_options"] = options.map { .string(Text($0)) } ?? .null
        object["refreshed_at"] = refreshedAt.map { .number(JSONNumber($0.seconds)) } ?? .null
        object["problems"] = .array(problems.map { .string(Text($0)) })
        return .object(object)
    }
}
