import CSystem
import Confinement
import Vocabulary

/// Refusals that were not logged one by one: counters that all processes share, so that a flood does not fill the log and yet nothing in it is
/// lost.
///
/// Each kind of refusal has a bucket of its own, so that rubbish, which anybody can send, does not hide a person's refusal. A file that is absent,
/// another's or damaged means that every refusal is logged; what stands in it decides about nothing else.
@safe
struct RefusalTally {
    /// Whose doing a refusal is.
    enum Kind: UInt32 {
        /// Anybody's: the provider's signature does not hold, or has not been looked at.
        case stranger
        /// Somebody's for whom the provider vouches.
        case person
        /// This server's administrator's.
        case server
        /// The provider's, or the network's: what to do stands in these lines, and no flood of others may hide them.
        case outage
        /// Nobody's: that events do not come to the audit log.
        case audit
    }

    /// What was refused. The index is the counter's.
    enum Matter {
        case refusal(Refusal.Code)
        case wrongCall

        fileprivate static let names = Refusal.Code.allCases.map(\.rawValue) + ["wrong-call"]

        fileprivate var index: UInt32 {
            switch self {
            case .refusal(let code): UInt32(Refusal.Code.allCases.firstIndex(of: code) ?? 0)
            case .wrongCall: UInt32(Refusal.Code.allCases.count)
            }
        }

        var kind: Kind {
            switch self {
            case .refusal(let code): Kind(of: code)
            case .wrongCall: .server
            }
        }
    }

    /// Lines of one kind at once; afterwards one in each `interval`.
    static let burst: Int64 = 20
    /// In milliseconds.
    static let interval: Int64 = 1000

    static func path(in folder: String) -> String { folder + "/refusals" }

    private let counters: OpaquePointer

    init?(folder: String) {
        // The path is copied; what is mapped stays so until the process ends.
        guard let counters = unsafe opk_tally_open(RefusalTally.path(in: folder), RefusalTally.layout) else { return nil }
        unsafe self.counters = counters
        // Somebody may cut the file short after it was looked at.
        opk_watchdog_catch_bus_errors()
    }

    /// Whether it is to be logged and not counted.
    func admitsLine(about matter: Matter) -> Bool {
        unsafe opk_tally_take_token(counters, matter.kind.rawValue, RefusalTally.interval, RefusalTally.burst) != 0
    }

    /// That it was not logged.
    func count(_ matter: Matter) { unsafe opk_tally_add(counters, matter.index, 1, UnixTime.now().seconds) }

    /// What was counted, by whatever process, since this was done last goes to `log` as one line, where anything was. If that does not take it, it
    /// stays counted.
    func tell(_ log: (String) -> Bool) {
        guard unsafe opk_tally_has_counts(counters) != 0 else { return }
        let since = unsafe opk_tally_take_since(counters)
        let counts = Matter.names.indices.map { unsafe opk_tally_take_count(counters, UInt32($0)) }
        let told = counts.indices.filter { counts[$0] > 0 }
        guard !told.isEmpty else { return }
        let time = RefusalTally.time(since).map { " since \($0)" } ?? ""
        let list = told.map { "\(Matter.names[$0]) \(counts[$0])" }.joined(separator: ", ")
        if log("refusals not logged one by one\(time): \(list)") { return }
        for index in told { unsafe opk_tally_add(counters, UInt32(index), counts[index], since) }
    }

    /// Whether the log is to say that an event could not be audited.
    var admitsLineAboutAudit: Bool {
        unsafe opk_tally_take_token(counters, Kind.audit.rawValue, RefusalTally.interval, RefusalTally.burst) != 0
    }

    /// That an event, or so many, could not be audited.
    func lose(_ count: UInt64 = 1, since: UnixTime) { unsafe opk_tally_lose(counters, count, since.seconds) }

    /// How many events could not be audited, and since when: they count as told then. Whoever is killed before that has told them takes them along.
    func takeLost() -> (count: UInt64, since: UnixTime?)? {
        var since: Int64 = 0
        // Writes the time.
        let count = unsafe opk_tally_take_lost(counters, &since)
        return count == 0 ? nil : (count, since == 0 ? nil : UnixTime(seconds: since))
    }

    /// With the date, where it was not in the last twelve hours: the clock may have been changed, too.
    private static func time(_ seconds: Int64) -> String? {
        guard seconds > 0 else { return nil }
        let isRecent = (0..<43_200).contains(UnixTime.now().seconds - seconds)
        var buffer = [CChar](repeating: 0, count: 32)
        // Writes at most as many characters as the buffer has.
        let length = unsafe opk_local_time(seconds, isRecent ? 0 : 1, &buffer, buffer.count)
        return length == 0 ? nil : String(decoding: buffer.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Another list of reasons, another layout of the file (FNV-1a of the names).
    private static let layout: UInt64 = {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for name in Matter.names {
            for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            hash = (hash ^ 0xFF) &* 0x100_0000_01B3
        }
        return hash
    }()
}

extension RefusalTally.Kind {
    /// By code and not by step: a certificate for other accounts is refused with step 10, but before anything about it was checked.
    init(of code: Refusal.Code) {
        switch code {
        case .denied, .groupsUnknown, .revoked, .requirementNotMet, .conditionNotMet, .emailNotVerified, .noRowAdmits, .answerLost:
            self = .person
        case .unsafeFile, .configuration, .cryptographyUnavailable, .notConfined: self = .server
        case .keysUnavailable: self = .outage
        default: self = .stranger
        }
    }
}
