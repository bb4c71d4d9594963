import Vocabulary

/// What an audit has found.
public struct AuditReport: Sendable {
    /// Those of a file together and by line, files in the order in which they were looked at; what is no file's at the end.
    public let findings: [Finding]
    /// Findings of a kind in a file beyond those that are kept.
    let leftOut: [LeftOut]
    let places: AuditPlaces
    let time: UnixTime
    let rows: [RowVerdict]
    let rowCount: Int
    let homes: [HomeVerdict]
    let sshdVersion: String?

    struct LeftOut: Sendable {
        let code: FindingCode
        let file: String
        let count: Int
    }

    /// One row of auth_id, as opkssh's audit reports it.
    struct RowVerdict: Sendable {
        let line: Int
        let account: String
        let identity: String
        let issuer: String
    }

    struct HomeVerdict: Sendable {
        let file: String
        let account: String
        let rows: [RowVerdict]
    }

    init(_ auditor: Auditor) {
        places = auditor.places
        time = auditor.now
        rows = auditor.policy.verdicts
        rowCount = auditor.policy.rowCount
        homes = auditor.policy.homes
        sshdVersion = auditor.sshdVersion.map { "OpenSSH_\($0)" }
        leftOut = auditor.found.leftOut.map { LeftOut(code: $0.code, file: $0.file, count: $0.count) }
        var order: [String: Int] = [:]
        for finding in auditor.found.all where order[finding.file] == nil {
            order[finding.file] = finding.file.isEmpty ? .max : order.count
        }
        findings = auditor.found.all.enumerated()
            .sorted { left, right in
                let (leftFile, rightFile) = (order[left.element.file] ?? 0, order[right.element.file] ?? 0)
                return (leftFile, left.element.line, left.offset) < (rightFile, right.element.line, right.offset)
            }
            .map(\.element)
    }

    public func count(_ severity: Severity) -> Int {
        findings.count { $0.severity == severity } + leftOut.reduce(0) { $0 + ($1.code.severity == severity ? $1.count : 0) }
    }

    /// 0: notes at most; 1: warnings; 2: errors.
    public var exitStatus: Int32 {
        switch findings.map(\.severity).max() {
        case .error: 2
        case .warning: 1
        case .note, nil: 0
        }
    }
}
