import Display
import Policy
import SafeFiles
import Vocabulary

// The listing for a person. What the file says is escaped.

extension PolicyListing {
    /// Lines without line breaks: a table, and below it the rows that cannot be read.
    public var lines: [String] {
        var lines: [String] = []
        if entries.isEmpty {
            lines.append("\(Text(path).escaped) has no such row.")
        } else {
            var table = Table(head: ["LINE", "ACCOUNT", "WHO", "ISSUER", "LIMITS"])
            for entry in entries { table.append(entry.cells(at: time)) }
            lines += table.lines
        }
        if !problems.isEmpty {
            lines += ["", "Rows that grant nothing, since they cannot be read:"]
            lines += problems.map { "    \(Text(path).escaped):\($0.line): \($0.text)" }
        }
        return lines
    }
}

extension PolicyListing.Entry {
    private static let longest = 200

    fileprivate func cells(at now: UnixTime) -> [String] {
        let limits = limits(at: now)
        return [
            "\(row.line)", row.account.description, Text("\(row.identity)").escapedOnce(limit: Self.longest),
            row.issuer.escaped(limit: Self.longest), limits.isEmpty ? "-" : limits.joined(separator: ", "),
        ]
    }

    /// What a person wants to know of each option: of a time what is left of it, of all others what is written.
    private func limits(at now: UnixTime) -> [String] {
        var marks: [String] = row.options.isBreakGlass ? ["BREAK-GLASS"] : []
        for option in options {
            switch option.name {
            case "break-glass": break
            case "expires": if let time = row.options.expires { marks.append(Self.end(time, now)) }
            case "starts":
                if let time = row.options.starts, time > now {
                    marks.append("starts \(RelativeTime.text(time, from: now)) (\(time.clock(from: now)))")
                }
            case "hours": marks.append(hours(option.value ?? "", now))
            case "reason": marks.append("reason \"\((option.value ?? "").escaped(limit: Self.longest))\"")
            default: marks.append(Self.written(option))
            }
        }
        return marks
    }

    private static func end(_ time: UnixTime, _ now: UnixTime) -> String {
        time <= now
            ? "EXPIRED \(RelativeTime.text(time, from: now))" : "expires \(RelativeTime.text(time, from: now)) (\(time.clock(from: now)))"
    }

    private func hours(_ text: Text, _ now: UnixTime) -> String {
        guard let hours = row.options.hours else { return "" }
        let written = text.escapedOnce(limit: Self.longest)
        if hours.contains(now) { return "open now (\(written))" }
        let opening = hours.nextOpening(after: now).map { "until \($0.clock(from: now))" } ?? "for good"
        return "closed \(opening) (\(written))"
    }

    private static func written(_ option: RowText.Option) -> String {
        guard let value = option.value else { return option.name.escaped(limit: longest) }
        return "\(option.name.escaped(limit: longest))=\"\(value.escaped(limit: longest))\""
    }
}
