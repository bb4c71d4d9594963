import Display
public import Identities
public import Vocabulary

/// Keeps identities alive: looks once a minute which of them are due, refreshes those, and says what came of it, each thing once.
///
/// New logins are noticed by themselves, since the records are read anew each time. An identity whose provider cannot be reached is tried again after a
/// while that grows; one whose token is refused is tried no more.
public struct RefreshLoop {
    private let refresher: IdentityRefresher
    /// Nil for all.
    private let names: Set<IdentityName>?
    private let say: (String) -> Void
    private var failures: [IdentityName: Failure] = [:]
    /// Those that were said to be looked after.
    private var known: Set<IdentityName> = []
    private var saidProblems: Set<String> = []

    private struct Failure {
        var count: Int
        var sentence: String
        var next: UnixTime
    }

    /// Seconds between two looks.
    static let interval: Int64 = 60

    public init(_ refresher: IdentityRefresher, only names: [IdentityName] = [], say: @escaping (String) -> Void) {
        self.refresher = refresher
        self.names = names.isEmpty ? nil : Set(names)
        self.say = say
    }

    /// Goes on until the process is told to stop (`OrderlyStop`), or, with `endsWhenNothingIsLeft`, until none of the identities can be refreshed any
    /// more.
    public mutating func run(endsWhenNothingIsLeft: Bool = false) {
        RefresherPresence(below: refresher.home).announced(names) {
            if !endsWhenNothingIsLeft, refreshable().isEmpty { say("nothing to refresh yet; waiting for `opk login --refresh`") }
            while true {
                let result = round(at: .now())
                if endsWhenNothingIsLeft && result.looksAfter == 0 { return }
                OrderlyStop.sleep(until: result.next)
            }
        }
    }

    public struct Round: Sendable {
        /// When to look again.
        public var next: UnixTime
        /// How many identities have a refresh token now.
        public var looksAfter = 0
        public var refreshed = 0
        public var failed = 0
    }

    /// One look at all of them.
    ///
    /// - Parameters:
    ///   - isForced: whether they are due or not.
    ///   - isLast: whether nobody looks again afterwards.
    public mutating func round(at now: UnixTime, isForced: Bool = false, isLast: Bool = false) -> Round {
        var result = Round(next: now + RefreshLoop.interval)
        for identity in refreshable() {
            if let failure = failures[identity.name], now < failure.next {
                result.looksAfter += 1
                result.next = min(result.next, failure.next)
                continue
            }
            do throws(RefreshError) {
                switch try refresher.refresh(identity.name, isForced: isForced, now: now) {
                case .refreshed(let end):
                    failures[identity.name] = nil
                    known.insert(identity.name)
                    result.refreshed += 1
                    result.looksAfter += 1
                    say(
                        "\(identity.name): refreshed; good until \(end.map { "\($0.local) (\(RelativeTime.text($0, from: now)))" } ?? "servers say otherwise")"
                    )
                case .notDue(let due):
                    result.looksAfter += 1
                    result.next = min(result.next, max(due, now + 1))
                    announce(identity, due, now)
                case .nothingToDo: break
                }
            } catch {
                // Whoever has it in hand refreshes it.
                if case .busy = error {
                    result.looksAfter += 1
                    continue
                }
                result.failed += 1
                if note(error, of: identity.name, at: now, isLast) { result.looksAfter += 1 }
            }
        }
        return result
    }

    private mutating func refreshable() -> [StoredIdentity] {
        let listing = refresher.identities.list()
        for problem in listing.problems where saidProblems.insert(problem).inserted { say(problem) }
        return listing.identities.filter { $0.refreshToken != nil && (names?.contains($0.name) ?? true) }
    }

    private mutating func announce(_ identity: StoredIdentity, _ due: UnixTime, _ now: UnixTime) {
        guard known.insert(identity.name).inserted else { return }
        say("\(identity.name): refreshed when it is due, \(RelativeTime.text(due, from: now)) (\(due.local))")
    }

    /// Whether it is to be tried again.
    private mutating func note(_ error: RefreshError, of name: IdentityName, at now: UnixTime, _ isLast: Bool) -> Bool {
        let sentence = "\(error)"
        if error.consequence == .drop {
            failures[name] = nil
            known.remove(name)
            say("\(name): \(sentence); it is not refreshed any more" + (error.hint.map { ": \($0)" } ?? ""))
            return false
        }
        let before = failures[name]
        let count = (before?.count ?? 0) + 1
        let pause = RefreshSchedule.pause(after: count)
        failures[name] = Failure(count: count, sentence: sentence, next: now + pause)
        if before?.sentence != sentence {
            let next = isLast ? "" : "; trying again in \(RelativeTime.span(pause))"
            say("\(name): not refreshed: \(sentence)\(next)" + (error.hint.map { "\(isLast ? ";" : ", or") \($0)" } ?? ""))
        }
        return true
    }
}
