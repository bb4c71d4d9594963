public import JOSE
import KeyCache
import Policy
import Vocabulary

extension KeyInventory {
    /// For scripts. Times are RFC 3339 in UTC and in seconds since 1970, lengths of time in seconds; what is not known is null.
    public var json: JSON {
        [
            "cache": .string(Text(cacheFolder)),
            "time": .string(Text("\(time)")),
            "fetcher": [
                "user": fetcher.user.map { .string(Text($0)) } ?? .null,
                "separate": fetcher.isSeparate.map(JSON.bool) ?? .null,
                "why": .string(Text(fetcher.sentence(cacheFolder: cacheFolder))),
            ],
            "issuers": .array(entries.map { $0.json(at: time) }),
            "problems": .array(
                problems.map { ["file": "providers", "line": .number(JSONNumber(Int64($0.line))), "why": .string(Text($0.text))] }),
        ]
    }
}

extension KeyInventory.Entry {
    fileprivate func json(at now: UnixTime) -> JSON {
        var object = JSONObject()
        switch subject {
        case .issuer(let issuer): (object["issuer"], object["file"]) = (.string(issuer), .null)
        case .file(let name): (object["issuer"], object["file"]) = (.null, .string(Text(name)))
        }
        object["named"] = .bool(isNamed)
        object["state"] = .string(Text(state.code))
        if case .unusable(let why) = state { object["why"] = .string(Text(why)) } else { object["why"] = .null }
        object["keys"] = .array(usableKeys.map { ["kid": $0.keyID.map(JSON.string) ?? .null, "alg": .string(Text($0.algorithm))] })
        object["jwks_uri"] = keys.map { .string($0.keysURI) } ?? .null
        object["userinfo_endpoint"] = keys?.userinfoEndpoint.map(JSON.string) ?? .null
        Self.add("fetched", keys?.fetchedAt, to: &object)
        object["age"] = Self.number(keys.map { now - $0.fetchedAt })
        Self.add("used_until", usedUntil, to: &object)
        object["cache_control"] = Self.number(keys?.cacheSeconds)
        object["refresh_after"] = Self.number(refreshAfter)
        object["max_age"] = Self.number(settings.maximumAge.seconds)
        object["timeout"] = Self.number(settings.timeout.seconds)
        object["last_attempt"] = lastAttempt.map(Self.json) ?? .null
        return .object(object)
    }

    private static func json(_ attempt: FetchAttempt) -> JSON {
        var object = JSONObject()
        add("ended", attempt.ended, to: &object)
        object["succeeded"] = .bool(attempt.succeeded)
        object["failures"] = number(Int64(attempt.failures))
        object["reason"] = attempt.succeeded ? .null : .string(Text(attempt.reason))
        return .object(object)
    }

    private static func add(_ name: String, _ time: UnixTime?, to object: inout JSONObject) {
        object[Text(name)] = time.map { .string(Text("\($0)")) } ?? .null
        object[Text(name + "_seconds")] = number(time?.seconds)
    }

    private static func number(_ value: Int64?) -> JSON { value.map { .number(JSONNumber($0)) } ?? .null }
}

extension KeyInventory.State {
    fileprivate var code: String {
        switch self {
        case .fresh: "fresh"
        case .stale: "stale"
        case .tooOld: "too-old"
        case .fromFuture: "from-future"
        case .absent: "none"
        case .unusable: "unusable"
        }
    }
}
