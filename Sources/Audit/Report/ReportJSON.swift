public import JOSE
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension AuditReport {
    /// For scripts: opkssh's members, as `opkssh audit --json` has them, and after them ours.
    public var json: JSON {
        var object = JSONObject()
        object["ok"] = .bool(exitStatus == 0)
        object["username"] = .string(Text(Account.owner(geteuid())?.name ?? ""))
        object["providers_file"] = ["file_path": .string(Text(places.providers)), "error": .string(Text(problem(in: places.providers)))]
        object["system_policy"] = policyFile(places.authID, rows)
        object["home_policy"] = .array(homes.map { policyFile($0.file, $0.rows) })
        object["opk_version"] = .string(Text(Version.text))
        object["openssh_version"] = .string(Text(sshdVersion ?? ""))
        object["os_info"] = .string(Text(AuditReport.system))
        object["time"] = .string(Text("\(time)"))
        object["exit_status"] = .number(JSONNumber(Int64(exitStatus)))
        for severity in Severity.allCases.reversed() { object[Text(severity.word + "s")] = .number(JSONNumber(Int64(count(severity)))) }
        object["findings"] = .array(findings.map(AuditReport.json))
        object["left_out"] = .array(
            leftOut.map {
                ["file": .string(Text($0.file)), "code": .string(Text($0.code.rawValue)), "count": .number(JSONNumber(Int64($0.count)))]
            })
        return .object(object)
    }

    private static func json(_ finding: Finding) -> JSON {
        [
            "severity": .string(Text(finding.severity.word)), "code": .string(Text(finding.code.rawValue)),
            "file": finding.file.isEmpty ? .null : .string(Text(finding.file)),
            "line": finding.line == 0 ? .null : .number(JSONNumber(Int64(finding.line))), "message": .string(Text(finding.sentence)),
            "remedy": finding.remedy.map { .string(Text($0)) } ?? .null,
        ]
    }

    /// What is wrong with a whole file.
    private func problem(in file: String) -> String {
        findings.first { $0.file == file && $0.line == 0 && $0.severity == .error }?.sentence ?? ""
    }

    private static let permissionCodes: Set<FindingCode> = [
        .fileOwner, .fileMode, .fileLink, .fileHardLinks, .fileUnreadable, .folderMode, .folderOwner,
    ]

    private func policyFile(_ file: String, _ rows: [RowVerdict]) -> JSON {
        let own = findings.filter { $0.file == file }
        let whole = own.first { $0.line == 0 && $0.severity > .note }
        let isPermission = whole.map { AuditReport.permissionCodes.contains($0.code) } ?? false
        var byLine: [Int: [Finding]] = [:]
        for finding in own where finding.line > 0 && finding.severity > .note { byLine[finding.line, default: []].append(finding) }
        let known = Set(rows.map(\.line))
        let bad = byLine.keys.filter { !known.contains($0) }.sorted().map { RowVerdict(line: $0, account: "", identity: "", issuer: "") }
        return [
            "file_path": .string(Text(file)),
            "rows": .array((rows + bad).sorted { $0.line < $1.line }.map { row(of: $0, byLine[$0.line] ?? []) }),
            "error": .string(Text(isPermission ? "" : whole?.sentence ?? "")),
            "perms_error": .string(Text(isPermission ? whole?.sentence ?? "" : "")),
        ]
    }

    private func row(of verdict: RowVerdict, _ findings: [Finding]) -> JSON {
        let worst = findings.max { $0.severity < $1.severity }
        let status =
            switch worst?.severity {
            case .error: "ERROR"
            case .warning: "WARNING"
            case .note, nil: "SUCCESS"
            }
        return [
            "status": .string(Text(status)), "hints": .array(findings.compactMap(\.remedy).map { .string(Text($0)) }),
            "principal": .string(Text(verdict.account)), "identity_attr": .string(Text(verdict.identity)),
            "issuer": .string(Text(verdict.issuer)), "reason": .string(Text(worst?.sentence ?? "issuer matches provider entry")),
            "line_number": .number(JSONNumber(Int64(verdict.line))),
        ]
    }

    /// The ID of os-release(5), such as `debian`; empty where it does not say.
    private static var system: String {
        guard let bytes = plainFile("/etc/os-release", limit: 64 << 10) else { return "" }
        let line = bytes.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: Array("ID=".utf8)) }
        return line.map { String(decoding: $0.dropFirst(3), as: UTF8.self).filter { $0 != "\"" } } ?? ""
    }
}
