import Vocabulary

extension AuditReport {
    /// For a person, grouped by file, with a count at the end. Nothing in a line can move the cursor or break it.
    public func lines(withNotes: Bool = true) -> [String] {
        var lines: [String] = []
        var file: String?
        for finding in findings where withNotes || finding.severity > .note {
            if finding.file != file {
                lines += (lines.isEmpty ? [] : [""]) + [finding.file.isEmpty ? "this machine" : Text(finding.file).escaped]
                file = finding.file
            }
            let place = finding.line > 0 ? "line \(finding.line): " : ""
            lines.append(
                "  \(finding.severity.word): \(place)\(Text(finding.sentence).escapedOnce(limit: .max)) [\(finding.code.rawValue)]")
            if let remedy = finding.remedy { lines.append("      " + Text(remedy).escapedOnce(limit: .max)) }
        }
        for rest in leftOut where withNotes || rest.code.severity > .note {
            lines.append("  and \(rest.count) more of [\(rest.code.rawValue)] in \(Text(rest.file).escaped)")
        }
        if !lines.isEmpty { lines.append("") }
        lines.append(summary)
        return lines
    }

    private var summary: String {
        let counts = Severity.allCases.reversed().map { severity in
            let count = count(severity)
            return "\(count) \(severity.word)\(count == 1 ? "" : "s")"
        }
        return counts.joined(separator: ", ") + (exitStatus == 0 ? ": nothing to mend" : "")
    }
}
