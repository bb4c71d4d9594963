import AuditTrail
import LibCrypto

/// What the audit log says of a change to the machine's policy: who, by which command, which rows came and went, and both texts' digests. Rows are no secrets;
/// what stands in config.yml and in a plugin's file may be one (a webhook's address, a proxy's password), so of those there are the digests alone.
///
/// Only root's changes to /etc/opk are recorded: in another folder they are not this machine's policy, and nobody else could write to the log.
struct PolicyChangeRecord {
    /// `add`.
    let command: String
    let path: String
    let before: [UInt8]
    let after: [UInt8]

    /// Rows that are shown, the new ones first: whom a change let in must not hide behind what it took away.
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
        let rows = hasRows ? PolicyChangeRecord.differences(before, after) : []
        if !rows.isEmpty { change.set(.rows, Array(rows.prefix(PolicyChangeRecord.mostRows))) }
        event.set(.change, change)
        let more = rows.count - PolicyChangeRecord.mostRows
        if more > 0 { event.set(.notes, ["\(more) more row\(more == 1 ? "" : "s") changed"]) }
        return event
    }

    private var hasRows: Bool { ["/auth_id", "/providers", "/revoked"].contains { path.hasSuffix($0) } }

    /// `+ROW` and `-ROW`: rows that only one of the two texts has, as often as they are there; first those that came. Comments and empty lines are none.
    static func differences(_ before: [UInt8], _ after: [UInt8]) -> [String] {
        func lines(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
            text.split(separator: 0x0A).filter { line in
                guard let first = line.first(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { return false }
                return first != UInt8(ascii: "#")
            }
        }
        var counts: [ArraySlice<UInt8>: Int] = [:]
        for line in lines(after) { counts[line, default: 0] += 1 }
        for line in lines(before) { counts[line, default: 0] -= 1 }
        var rows: [String] = []
        for (sign, text, one) in [("+", after, 1), ("-", before, -1)] {
            for line in lines(text) {
                guard let count = counts[line], count * one > 0 else { continue }
                counts[line] = count - one
                rows.append(sign + String(decoding: line, as: UTF8.self))
            }
        }
        return rows
    }
}
