public import JOSE
import PKToken
import Policy
import Vocabulary

// For scripts: the names are stable, times are RFC 3339 in UTC.

extension Explanation {
    public var json: JSON {
        var object = JSONObject()
        object["account"] = .string(Text(String(decoding: account, as: UTF8.self)))
        object["at"] = .string(Text("\(time)"))
        object["from"] = address.map { .string(Text("\($0)")) } ?? .null
        object["subject"] = subject == .certificate ? "certificate" : "supposition"
        object["verdict"] = verdictJSON
        object["steps"] = .array(steps.map(\.json))
        object["policy"] = policy?.json ?? .null
        object["lines"] = .array(lines.map { .string(Text($0)) })
        object["changes"] = .array(changes.map(\.json))
        return .object(object)
    }

    private var verdictJSON: JSON {
        var object = JSONObject()
        switch verdict {
        case .notOurs: object["result"] = "not-ours"
        case .admitted: object["result"] = "admitted"
        case .refused(let refusal):
            object["result"] = "refused"
            object["step"] = .number(JSONNumber(Int64(refusal.step.rawValue)))
            object["reason"] = .string(Text(refusal.code.rawValue))
            object["why"] = .string(Text("\(refusal)"))
            object["open"] = .bool(isOpen)
            object["unverified"] = .bool(isHearsay)
        }
        return .object(object)
    }
}

extension Explanation.Step {
    var json: JSON {
        var object = JSONObject()
        object["step"] = .number(JSONNumber(Int64(step.rawValue)))
        object["name"] = .string(step.name)
        switch state {
        case .holds: object["result"] = "holds"
        case .fails(let code):
            object["result"] = "fails"
            object["reason"] = .string(Text(code.rawValue))
        case .supposed: object["result"] = "supposed"
        case .notReached: object["result"] = "not-reached"
        }
        object["text"] = .string(Text(text))
        return .object(object)
    }
}

extension PolicyFinding {
    /// Rows in JSON; beyond that they are counted.
    private static let jsonRows = 10_000

    var json: JSON {
        var object = JSONObject()
        object["supposed"] = .bool(isSupposed)
        object["issuer"] = .string(person.row.issuer)
        object["sub"] = person.subject.isEmpty ? .null : .string(person.subject)
        object["email"] = person.claims["email"]?.string.map { .string($0) } ?? .null
        object["issued_at"] = .string(Text("\(min(person.issuedAt, .endOfYear9999))"))
        object["denials"] = .array(
            deliberation.denials.map { ["reason": .string(Text($0.code.rawValue)), "text": .string(Text($0.text))] })
        object["requirements"] = .array(deliberation.requirements.map(PolicyFinding.json))
        let rows = deliberation.rows.prefix(PolicyFinding.jsonRows)
        let others = otherRows.prefix(PolicyFinding.jsonRows - rows.count)
        object["rows"] = .array(
            rows.map { PolicyFinding.json($0.row, isHome: $0.isHome, $0.obstacles, $0.obstacles.isEmpty) }
                + others.map { PolicyFinding.json($0, isHome: false, [], false) })
        let leftOut = deliberation.rows.count + otherRows.count - rows.count - others.count
        object["rows_left_out"] = .number(JSONNumber(Int64(leftOut)))
        object["problems"] = .array(
            problems.map { PolicyFinding.json($0, "auth_id") } + homeProblems.map { PolicyFinding.json($0, "home") })
        object["home"] = homeJSON
        object["plugins"] = pluginsJSON
        object["userinfo"] = lacksUserinfo ? "not-asked" : .null
        return .object(object)
    }

    private static func json(_ problem: RowProblem, _ file: Text) -> JSON {
        ["file": .string(file), "line": number(problem.line), "text": .string(Text(problem.text))]
    }

    private static func number(_ number: Int) -> JSON { .number(JSONNumber(Int64(number))) }

    private static func json(_ obstacles: [Obstacle]) -> JSON {
        .array(obstacles.map { ["kind": .string(Text($0.name)), "text": .string(Text($0.description))] })
    }

    private static func json(_ finding: RequirementFinding) -> JSON {
        var object = JSONObject()
        object["line"] = number(finding.rule.line)
        object["holds"] = .bool(finding.holds)
        object["excepted_by"] = finding.exceptedBy.map { .string($0) } ?? .null
        object["obstacles"] = json(finding.obstacles)
        return .object(object)
    }

    private static func json(_ row: AuthRow, isHome: Bool, _ obstacles: [Obstacle], _ admits: Bool) -> JSON {
        var object = JSONObject()
        object["file"] = isHome ? "home" : "auth_id"
        object["line"] = number(row.line)
        object["account"] = .string(Text(row.account.description))
        object["identity"] = .string(Text("\(row.identity)"))
        object["issuer"] = .string(row.issuer)
        object["admits"] = .bool(admits)
        object["obstacles"] =
            obstacles.isEmpty && !admits ? .array([["kind": "issuer", "text": "is of another issuer"]]) : json(obstacles)
        return .object(object)
    }

    private var homeJSON: JSON {
        switch home {
        case .notAsked: ["state": "not-asked"]
        case .off: ["state": "off"]
        case .absent: ["state": "absent"]
        case .read: ["state": "read"]
        case .unusable(let why): ["state": "unusable", "why": .string(Text(why))]
        case .unread(let why): ["state": "unread", "why": .string(Text(why))]
        }
    }

    private var pluginsJSON: JSON {
        let (state, names): (Text, [String]) =
            switch plugins {
            case .none: ("none", [])
            case .notAsked(let list): ("not-asked", list)
            case .notRun(let list): ("not-run", list)
            case .ran(let list): ("ran", list)
            }
        return [
            "state": .string(state), "names": .array(names.map { .string(Text($0)) }),
            "notes": .array(pluginNotes.map { .string(Text($0)) }),
        ]
    }
}
