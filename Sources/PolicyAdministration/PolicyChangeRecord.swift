import AuditTrail
import LibCrypto

/// What the audit log says of a change to the machine's policy: who, by which command, which lines came and went, and both texts' digests. Rows are no secrets.
///
/// Only root's changes to /etc/opk are recorded: in another folder they are not this machine's policy, and nobody else could write to the log.
struct PolicyChangeRecord {
    /// `add`.
    let command: String
    let path: String
    let before: [UInt8]
    let after: [UInt8]

    /// Lines of each kind that are shown.
    private static let mostRows = 12

    /// - Returns: why it is not in the log; nil where it is, or where there is none.
    func write(to trail: AuditTrail = AuditTrail()) -> AuditTrail.Failure? {
        do throws(AuditTrail.Failure) {
            try trail.append(event)
            return nil
        } catch {
            return error == .notInstalled ? nil : error
        }
    }

    var event: AuditEvent {
        var event = AuditEvent(.policyChanged, program: "opk")
        event.set(.actor, AuditActor.current)
        event.set(.command, "opk " + command)
        var change = AuditObject()
        change.set(.file, path)
        change.set(.action, before.isEmpty ? "created" : after.isEmpty ? "emptied" : "changed")
        change.set(.digestBefore, Digest.sha256Text(before))
        change.set(.digestAfter, Digest.sha256Text(after))
        let rows = PolicyChangeRecord.differences(before, after)
        change.set(.rows, Array(rows.prefix(PolicyChangeRecord.mostRows)))
        event.set(.change, change)
        return event
    }

    /// `+ROW` and `-ROW`: lines that only one of the two texts has, as often as they are there.
    static func differences(_ before: [UInt8], _ after: [UInt8]) -> [String] {
        func lines(_ text: [UInt8]) -> [ArraySlice<UInt8>] { text.split(separator: 0x0A) }
        var counts: [ArraySlice<UInt8>: Int] = [:]
        for line in lines(after) { counts[line, default: 0] += 1 }
        for line in lines(before) { counts[line, default: 0] -= 1 }
        var rows: [String] = []
        for (sign, text, one) in [("-", before, -1), ("+", after, 1)] {
            for line in lines(text) {
                guard let count = counts[line], count * one > 0 else { continue }
                counts[line] = count - one
                rows.append(sign + String(decoding: line, as: UTF8.self))
            }
        }
        return rows
    }
}
