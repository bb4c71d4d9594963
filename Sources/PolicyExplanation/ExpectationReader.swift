import JOSE
import Policy
import SSHKeys
import Vocabulary

/// The grammar of a file of expectations. A line is empty, a directive, or
///
///     WHO as ACCOUNT [of ISSUER] [at TIME] [from ADDRESS] [with NAME=VALUE…]: yes|no
///
/// where WHO is an email or `sub SUBJECT`. Directives hold from their line on: `issuer ISSUER`, `now TIME`, `zone ZONE`.
struct ExpectationReader {
    private var now: UnixTime
    private var clock = WallClock.utc
    private var issuer: Text?
    private let known: (Text) -> Text

    typealias Fault = ExpectationWords.Fault
    private typealias Word = ExpectationWords.Word

    init(now: UnixTime, issuer known: @escaping (Text) -> Text) {
        self.now = now
        self.known = known
    }

    mutating func take(_ line: ArraySlice<UInt8>, _ number: Int) throws(Fault) -> Expectation? {
        guard Text(validating: line) != nil else { throw Fault(text: "it is not UTF-8") }
        var words = try ExpectationWords.split(line)[...]
        guard let first = words.first else { return nil }
        guard let isExpected = ExpectationReader.popAnswer(&words) else {
            try direct(first, words)
            return nil
        }
        let written = ExpectationReader.withoutComment(line)
        var person = SupposedPerson()
        person.issuer = issuer
        if ExpectationReader.pop("sub", from: &words) {
            person.subject = try ExpectationReader.word(&words, "a subject behind sub")
        } else {
            let email = try ExpectationReader.word(&words, "an email or sub SUBJECT")
            guard email.contains(UInt8(ascii: "@")) else {
                throw Fault(text: "\(email.escaped(limit: 80)) is no email; a subject is written: sub SUBJECT")
            }
            person.email = email
        }
        if ExpectationReader.pop("of", from: &words) { person.issuer = known(try ExpectationReader.word(&words, "an issuer behind of")) }
        guard ExpectationReader.pop("as", from: &words) else { throw Fault(text: "as ACCOUNT is missing behind who it is") }
        let name = try ExpectationReader.word(&words, "an account behind as")
        guard let account = Principal(name) else { throw Fault(text: "\(name.escaped(limit: 80)) is not an account name") }
        var expectation = Expectation(
            line: number, text: written, person: person, account: account, isExpected: isExpected, time: now,
            userID: name == "root" ? 0 : 1000)
        while !words.isEmpty { try clause(&words, &expectation) }
        expectation.settle(now: now)
        return expectation
    }

    /// `of`, `at`, `from` or `with`.
    private func clause(_ words: inout ArraySlice<Word>, _ expectation: inout Expectation) throws(Fault) {
        if ExpectationReader.pop("of", from: &words) {
            expectation.person.issuer = known(try ExpectationReader.word(&words, "an issuer behind of"))
        } else if ExpectationReader.pop("at", from: &words) {
            expectation.time = try time(try ExpectationReader.word(&words, "a time behind at"))
        } else if ExpectationReader.pop("from", from: &words) {
            let word = try ExpectationReader.word(&words, "an address behind from")
            guard let address = NetworkAddress(word) else { throw Fault(text: "\(word.escaped(limit: 80)) is not an address") }
            expectation.address = address
        } else if ExpectationReader.pop("with", from: &words) {
            var count = 0
            while let next = words.first, next.text.contains(UInt8(ascii: "=")) {
                words.removeFirst()
                try fact(Text(String(decoding: next.text, as: UTF8.self)), &expectation)
                count += 1
            }
            if count == 0 { throw Fault(text: "NAME=VALUE is missing behind with") }
        } else {
            let word = Text(String(decoding: words.first?.text ?? [], as: UTF8.self))
            throw Fault(text: "\(word.escaped(limit: 80)) is none of of, at, from and with")
        }
    }

    /// One word behind `with`: some names stand for more than a claim.
    private func fact(_ word: Text, _ expectation: inout Expectation) throws(Fault) {
        let name = word.utf8.prefix { $0 != UInt8(ascii: "=") }
        let value = Text(validating: word.utf8.dropFirst(name.count + 1)) ?? ""
        switch String(decoding: name, as: UTF8.self) {
        case "issuer": expectation.person.issuer = known(value)
        case "client": expectation.person.client = value
        case "sub": expectation.person.subject = value
        case "email": expectation.person.email = value
        case "age": expectation.age = try span(value)
        case "auth_age": expectation.authAge = try span(value)
        case "auth_time":
            let time = try time(value)
            expectation.person.claims.append(("auth_time", .number(JSONNumber(time.seconds))))
        case "uid":
            guard let number = UInt32(value.string) else { throw Fault(text: "uid=\(value.escaped(limit: 40)) is not a number") }
            expectation.userID = number
        default:
            do { try expectation.person.add(claim: word) } catch { throw Fault(text: "\(error)") }
        }
    }

    private func span(_ word: Text) throws(Fault) -> Int64 {
        if word == "0s" { return 0 }
        guard let span = TimeSpan(word) else {
            throw Fault(text: "\(word.escaped(limit: 40)) is not a length of time such as 90m, 8h or 7d")
        }
        return span.seconds
    }

    private mutating func direct(_ first: Word, _ words: ArraySlice<Word>) throws(Fault) {
        var rest = words.dropFirst()
        let name = first.isPlain ? String(decoding: first.text, as: UTF8.self) : ""
        guard ["issuer", "now", "zone"].contains(name) else {
            throw Fault(text: "it ends with neither : yes nor : no, and is none of the directives issuer, now and zone")
        }
        let value = try ExpectationReader.word(&rest, "a value behind \(name)")
        if !rest.isEmpty { throw Fault(text: "the directive \(name) takes one word") }
        switch name {
        case "issuer": issuer = known(value)
        case "now": now = try time(value)
        default:
            guard let zone = WallClock(zone: value) else { throw Fault(text: "this system has no time zone \(value.escaped(limit: 80))") }
            clock = zone
        }
    }

    /// RFC 3339, the same without a zone, or `HH:MM` of the day that it is now; on this file's clock, UTC unless it says otherwise.
    private func time(_ word: Text) throws(Fault) -> UnixTime {
        if let time = UnixTime(rfc3339: word) { return time }
        if let shown = UnixTime(rfc3339: Text(word.string + "Z")), let time = clock.moment(showing: shown.seconds) { return time }
        if let today = clock.shown(at: now) {
            let date = UnixTime(seconds: today).description.prefix(10)
            if let shown = UnixTime(rfc3339: Text("\(date)T\(word.string)Z")), let time = clock.moment(showing: shown.seconds) {
                return time
            }
        }
        throw Fault(text: "\(word.escaped(limit: 40)) is not a time such as 23:00, 2026-12-24T18:00 or 2026-12-24T18:00Z")
    }

    /// `: yes`, `: no`, `:yes`; the colon may be the end of the word before, and all of it the end of the last word.
    private static func popAnswer(_ words: inout ArraySlice<Word>) -> Bool? {
        guard var last = words.last else { return nil }
        let isYes: Bool
        switch String(decoding: last.text, as: UTF8.self) {
        case "yes": isYes = true
        case "no": isYes = false
        case let word where word.hasSuffix(":yes"): isYes = true
        case let word where word.hasSuffix(":no"): isYes = false
        default: return nil
        }
        last.text.removeLast(isYes ? 3 : 2)
        words.removeLast()
        if last.text.isEmpty {
            guard let colon = words.popLast() else { return nil }
            last = colon
        }
        guard last.text.popLast() == UInt8(ascii: ":") else { return nil }
        if !last.text.isEmpty { words.append(last) }
        return isYes
    }

    private static func pop(_ keyword: String, from words: inout ArraySlice<Word>) -> Bool {
        guard let first = words.first, first.isPlain, first.text.elementsEqual(keyword.utf8) else { return false }
        words.removeFirst()
        return true
    }

    private static func word(_ words: inout ArraySlice<Word>, _ what: String) throws(Fault) -> Text {
        guard let first = words.popFirst(), let text = Text(validating: first.text), !text.isEmpty else {
            throw Fault(text: "there is not \(what)")
        }
        return text
    }

    /// As far as the answer.
    private static func withoutComment(_ line: ArraySlice<UInt8>) -> Text {
        var end = line.endIndex
        for index in line.indices where line[index] == UInt8(ascii: "#") && index > line.startIndex {
            let before = line[line.index(before: index)]
            let head = line[..<index]
            guard before == 0x20 || before == 0x09, let words = try? ExpectationWords.split(head),
                words == (try? ExpectationWords.split(line))
            else { continue }
            end = index
            break
        }
        let text = String(decoding: line[..<end], as: UTF8.self)
        return Text(String(text.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()))
    }
}

extension Expectation {
    /// What is counted back from the time that is asked about.
    fileprivate mutating func settle(now: UnixTime) {
        let time = time ?? now
        person.issuedAt = time + -age
        if let authAge { person.claims.append(("auth_time", .number(JSONNumber((time + -authAge).seconds)))) }
    }
}
