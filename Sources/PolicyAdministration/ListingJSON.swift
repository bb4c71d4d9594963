public import JOSE
import Policy
import Vocabulary

extension PolicyListing {
    /// For scripts. Times are RFC 3339 in UTC and in seconds since 1970; what is not there is null.
    public var json: JSON {
        [
            "file": .string(Text(path)), "time": .string(Text("\(time)")),
            "rows": .array(entries.map(\.json)),
            "problems": .array(problems.map { ["line": .number(JSONNumber(Int64($0.line))), "why": .string(Text($0.text))] }),
        ]
    }
}

extension PolicyListing.Entry {
    fileprivate var json: JSON {
        var object = JSONObject()
        object["line"] = .number(JSONNumber(Int64(row.line)))
        object["account"] = .string(Text(row.account.description))
        object["who"] = RowText(text.text).map { .string($0.words[1]) } ?? .null
        object["issuer"] = .string(row.issuer)
        object["row"] = .string(text.text)
        object["options"] = .array(options.map { ["name": .string($0.name), "value": $0.value.map(JSON.string) ?? .null] })
        object["state"] = .string(Text(state.code))
        PolicyJSON.add("expires", row.options.expires, to: &object)
        PolicyJSON.add("starts", row.options.starts, to: &object)
        if case .closed(let opening) = state {
            PolicyJSON.add("opens", opening, to: &object)
        } else {
            PolicyJSON.add("opens", nil, to: &object)
        }
        object["break_glass"] = .bool(row.options.isBreakGlass)
        object["reason"] = row.options.reason.map(JSON.string) ?? .null
        return .object(object)
    }
}

extension PolicyListing.State {
    fileprivate var code: String {
        switch self {
        case .active: "active"
        case .expired: "expired"
        case .notStarted: "not-started"
        case .closed: "closed"
        }
    }
}

/// What the JSON of several commands has in common.
enum PolicyJSON {
    static func add(_ name: String, _ time: UnixTime?, to object: inout JSONObject) {
        object[Text(name)] = time.map { .string(Text("\($0)")) } ?? .null
        object[Text(name + "_seconds")] = time.map { .number(JSONNumber($0.seconds)) } ?? .null
    }
}
