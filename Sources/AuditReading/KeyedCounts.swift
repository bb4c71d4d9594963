import JOSE
import Vocabulary

/// How often each of some texts came, counted by their bytes as they stand in a line. Nobody can make it grow beyond `most` texts.
struct KeyedCounts {
    static let most = 4096

    private var keys: [[UInt8]] = []
    private var counts: [Int] = []
    /// 1 + a place in `keys`, or 0; linear probing. Never more than half full.
    private var slots = [Int32](repeating: 0, count: 4 * most)
    /// What came after there was no room.
    private(set) var others = 0

    mutating func add(_ bytes: Span<UInt8>, _ range: Range<Int>?) {
        guard let range else { return add(bytes, 0..<0) }
        var slot = KeyedCounts.hash(bytes, range) & (slots.count - 1)
        while slots[slot] != 0 {
            let place = Int(slots[slot]) - 1
            if isEqual(place, bytes, range) {
                counts[place] += 1
                return
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        guard keys.count < KeyedCounts.most else {
            others += 1
            return
        }
        keys.append(bytes.copy(range))
        counts.append(1)
        slots[slot] = Int32(truncatingIfNeeded: keys.count)
    }

    private func isEqual(_ place: Int, _ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        let key = keys[place]
        guard key.count == range.count else { return false }
        for index in 0..<range.count where key[index] != bytes[range.lowerBound + index] { return false }
        return true
    }

    /// FNV-1a over the bytes. Somebody who makes them collide makes their own counting slow, up to `most` steps for each.
    private static func hash(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in range { hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3 }
        return Int(truncatingIfNeeded: (hash ^ hash &>> 32) & 0xFFFF_FFFF)
    }

    var sorted: [LogSummary.Count] {
        zip(keys, counts).map { key, count in
            let quoted = [UInt8(ascii: "\"")] + key + [UInt8(ascii: "\"")]
            return LogSummary.Count(name: (try? JSON(parsing: quoted))?.string ?? Text(""), count: count)
        }.sorted { ($1.count, $0.name) < ($0.count, $1.name) }
    }
}
