import AuditTrail
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// `server.changed` of the audit log, where there is one.
enum ServerRecord {
    private static let alphabet = Array("abcdefghijkmnpqrstuvwxyz23456789".utf8)

    static func append(_ command: String, changes: [ServerChange], invoker: String?) {
        var bits = UInt64.random(in: .min ... .max)
        var id: [UInt8] = []
        for _ in 0..<10 {
            id.append(alphabet[Int(bits & 31)])
            bits >>= 5
        }
        var name = [CChar](repeating: 0, count: 256)
        // At most 255 bytes, and the NUL that is there already.
        let host =
            unsafe gethostname(&name, 255) == 0
            ? String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
        var event = AuditEvent(.serverChanged, id: String(decoding: id, as: UTF8.self), at: .now(), host: host, program: "opk")
        var actor = AuditObject()
        actor.set(.account, "root")
        if let invoker { actor.set(.name, invoker) }
        event.set(.actor, actor)
        event.set(.command, command)
        for change in changes.prefix(1) {
            var object = AuditObject()
            object.set(.file, change.path)
            event.set(.change, object)
        }
        event.set(.detail, changes.map(\.path).joined(separator: " "))
        // Nobody audits here, or the log is full: the server is set up all the same.
        try? AuditTrail().append(event)
    }
}
