import KeyCache
import Testing
import Vocabulary

@Suite("What is done about an issuer's keys")
struct KeyDecisionTests {
    private static let now = UnixTime(seconds: 1_800_000_000)
    private static let keySet = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}"

    private static func keys(age: Int64, cacheSeconds: Int64? = nil) throws -> CachedKeys {
        try #require(
            CachedKeys(
                issuer: "https://idp.example.com", keysURI: "https://idp.example.com/jwks", userinfoEndpoint: nil, fetchedAt: now + -age,
                cacheSeconds: cacheSeconds, body: Array(keySet.utf8)))
    }

    /// In a word.
    private static func decision(
        _ cached: CachedKeys?, hasKey: Bool = true, attempt: FetchAttempt? = nil, limits: KeyLimits = .standard
    ) -> String {
        switch KeyDecision(cached: cached, hasKey: hasKey, attempt: attempt, limits: limits, at: now) {
        case .use: "use"
        case .useAndRefresh: "use and refresh"
        case .ask(unknownKeyID: true): "ask for an unknown kid"
        case .ask(unknownKeyID: false): "ask"
        case .refuse: "refuse"
        }
    }

    private static func failed(_ seconds: Int64, times: Int = 1) -> FetchAttempt? {
        (0..<times).reduce(nil) { last, _ in .failure(at: now + -seconds, "why", after: last) }
    }

    @Test("Fresh keys are used; older ones are used and renewed; beyond their maximum age the provider is asked first")
    func ages() throws {
        for (age, word) in [(0, "use"), (3599, "use"), (3600, "use and refresh"), (86_399, "use and refresh"), (86_400, "ask")]
            as [(Int64, String)]
        {
            #expect(try Self.decision(Self.keys(age: age)) == word, "\(age)")
        }
        #expect(Self.decision(nil) == "ask")
        let short = KeyLimits(refreshAfter: 300, maximumAge: 200)
        #expect(
            try Self.decision(Self.keys(age: 199), limits: short) == "use" && Self.decision(Self.keys(age: 200), limits: short) == "ask")
    }

    @Test("What the provider wishes counts, from a tenth of the time to six times it, and never beyond the maximum age")
    func wishes() throws {
        for (wish, age, word) in [
            (0, 359, "use"), (0, 360, "use and refresh"), (1800, 1799, "use"), (1800, 1800, "use and refresh"), (9000, 8999, "use"),
            (1 << 40, 21_599, "use"), (1 << 40, 21_600, "use and refresh"),
        ] as [(Int64, Int64, String)] {
            #expect(try Self.decision(Self.keys(age: age, cacheSeconds: wish)) == word, "\(wish) \(age)")
        }
        let limits = KeyLimits(refreshAfter: 3600, maximumAge: 7200)
        #expect(try Self.decision(Self.keys(age: 7200, cacheSeconds: 1 << 40), limits: limits) == "ask")
    }

    @Test("V10, C12 An unknown kid is asked for once in ten seconds; in between what is cached is the answer, or the last failure")
    func unknownKeyID() throws {
        let keys = try Self.keys(age: 60)
        #expect(Self.decision(keys, hasKey: false) == "ask for an unknown kid")
        #expect(Self.decision(keys, hasKey: false, attempt: .success(at: Self.now + -9)) == "use")
        #expect(Self.decision(keys, hasKey: false, attempt: .success(at: Self.now + -10)) == "ask for an unknown kid")
        #expect(Self.decision(keys, hasKey: false, attempt: Self.failed(9)) == "refuse")
        #expect(Self.decision(keys, hasKey: false, attempt: Self.failed(10)) == "ask for an unknown kid")
    }

    @Test("Failures back off: with keys from ten seconds to five minutes, without keys from one second to ten")
    func backOff() throws {
        let stale = try Self.keys(age: 4000)
        for (times, pause) in [(1, 10), (2, 20), (3, 40), (5, 160), (6, 300), (100, 300)] as [(Int, Int64)] {
            #expect(Self.decision(stale, attempt: Self.failed(pause - 1, times: times)) == "use", "\(times)")
            #expect(Self.decision(stale, attempt: Self.failed(pause, times: times)) == "use and refresh", "\(times)")
        }
        for (times, pause) in [(1, 1), (2, 2), (4, 8), (5, 10), (100, 10)] as [(Int, Int64)] {
            #expect(Self.decision(nil, attempt: Self.failed(pause - 1, times: times)) == "refuse", "\(times)")
            #expect(Self.decision(nil, attempt: Self.failed(pause, times: times)) == "ask", "\(times)")
        }
        #expect(Self.decision(nil, attempt: .success(at: Self.now)) == "ask", "what was fetched then has been lost since")
    }

    @Test("A usable key of the token's kid admits whatever happened to the last fetch")
    func outage() throws {
        for attempt in [nil, Self.failed(0), Self.failed(5, times: 50), .success(at: Self.now)] {
            #expect(try Self.decision(Self.keys(age: 86_000), attempt: attempt).hasPrefix("use"))
        }
    }
}

@Suite("What opk-verify and opk-fetch say to each other")
struct FetchWordsTests {
    @Test("a request is read as it was written, and nothing else is one")
    func requests() throws {
        for kind in FetchRequest.Kind.allCases {
            let token = Secret(kind == .userinfo ? Array("t\nöken".utf8) : [])
            let request = try #require(FetchRequest(parsing: FetchRequest(kind, of: "https://a.example/b", accessToken: token).text))
            #expect(request.kind == kind && request.issuer == "https://a.example/b" && request.accessToken == token)
        }
        for text in [
            "", "opk-fetch/1 keys https://a", "opk-fetch/2 keys https://a\n", "opk-fetch/1 keys\n", "opk-fetch/1 keys \n",
            "opk-fetch/1 key https://a\n",
            "opk-fetch/1 keys https://a b\n", "opk-fetch/1  keys https://a\n", "opk-fetch/1 keys https://a\ntoken",
            "opk-fetch/1 userinfo https://a\n",
            "opk-fetch/1 userinfo https://a\n" + String(repeating: "t", count: 68 << 10),
        ] {
            #expect(FetchRequest(parsing: Array(text.utf8)) == nil, "\(text.prefix(40))")
        }
        #expect(FetchRequest(parsing: Array("opk-fetch/1 keys a".utf8) + [0xFF, 0x0A]) == nil)
    }

    @Test("an answer is read as it was written, what is hostile in it escaped, and nothing else is one")
    func answers() throws {
        for answer in [
            FetchAnswer.failed("no connection"), .fetched([], warnings: []), .fetched([0, 10, 10, 255], warnings: ["a", "b c"]),
        ] {
            #expect(FetchAnswer(parsing: answer.text) == answer)
        }
        #expect(FetchAnswer(parsing: Array("opk-fetch/1 failed a\u{1B}[2J\nx".utf8)) == .failed("a\\u{1b}[2J"))
        #expect(FetchAnswer(parsing: Array("opk-fetch/1 ok\n\u{1B}\n\nx".utf8)) == .fetched([0x78], warnings: ["\\u{1b}"]))
        for text in [
            "", "ok", "opk-fetch/1 ok", "opk-fetch/1 ok\n", "opk-fetch/1 ok\nwarning\n", "opk-fetch/1 okay\n\n", "opk-fetch/1 failed",
            "nonsense\n\n",
        ] {
            #expect(FetchAnswer(parsing: Array(text.utf8)) == nil, "\(text)")
        }
        #expect(FetchAnswer(parsing: Array(("opk-fetch/1 ok\n" + String(repeating: "w\n", count: 9) + "\n").utf8)) == nil)
    }
}
