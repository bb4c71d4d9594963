internal import CSystem
public import Vocabulary

/// The last refusals on this server, for `opk explain --last`: a file of fixed slots beside the count of refusals.
///
/// Each kind has its own 32 slots, so that rubbish, which anybody can send, does not push out a person's refusal. Whoever may run as opk-verify's user
/// can write anything there: what is read is hostile, and decides nothing.
public enum RecentRefusals {
    /// Bytes of one text.
    public static let longest = Int(OPK_RING_TEXT)
    /// Bytes of the file.
    public static let size = Int(OPK_RING_SIZE)
    public static let kinds = Int(OPK_RING_KINDS)
    /// Texts of one kind.
    public static let slots = Int(OPK_RING_SLOTS)

    public static func path(in folder: String) -> String { folder + "/recent" }

    /// One that is whole.
    public struct Entry: Hashable, Sendable {
        public let kind: Int
        /// Counted for each kind.
        public let number: UInt64
        public let time: UnixTime
        /// Hostile bytes.
        public let text: [UInt8]
    }

    /// Writes it over the oldest of its kind, without a lock. False where nothing is kept: the file is absent, another's, linked or of another size.
    @discardableResult
    public static func keep(_ text: [UInt8], kind: UInt32, at time: UnixTime, in folder: String) -> Bool {
        // The path and the bytes are copied, no more than their lengths.
        unsafe opk_ring_write(path(in: folder), kind, time.seconds, text, text.count) == 0
    }

    /// An errno; EBADF where something else than such a file is there.
    public struct Failure: Error, Hashable, Sendable {
        public let errno: Int32
    }

    /// The newest first.
    public static func read(in folder: String) throws(Failure) -> [Entry] {
        var bytes = [UInt8](repeating: 0, count: size)
        // Writes as many bytes as the buffer has.
        let error = unsafe opk_ring_read(path(in: folder), &bytes)
        guard error == 0 else { throw Failure(errno: error) }
        var entries: [Entry] = []
        for kind in 0..<kinds {
            for index in 0..<slots {
                var found = opk_ring_entry()
                // Reads one slot of the buffer, and writes an entry.
                guard unsafe opk_ring_slot(bytes, UInt32(kind), UInt32(index), &found) == 1 else { continue }
                // At most as many bytes as the entry's text has room for.
                let text = unsafe withUnsafeBytes(of: &found.text) { unsafe Array($0.prefix(found.length)) }
                entries.append(Entry(kind: kind, number: found.number, time: UnixTime(seconds: found.time), text: text))
            }
        }
        return entries.sorted { ($1.time, $1.number) < ($0.time, $0.number) }
    }
}
