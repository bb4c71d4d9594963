internal import CSystem
internal import JOSE
public import Vocabulary

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// The decisions that admitted, at the end of the audit log and of the file that it was before the last rotation: what opk-verify found out about whom
/// sshd then let in. Lines that cannot be read are passed over: a log is written by more than one program.
public struct GrantedDecisions {
    public struct Decision: Hashable, Sendable {
        public let attempt: String?
        public let account: Text
        public let address: Text?
        public let time: UnixTime
        public let identity: SessionIdentity
    }

    /// Bytes of the log's end that are looked at.
    public static let reach = 16 << 20

    private let logs: [[UInt8]]

    /// - Parameter path: the log; the one before it has `.1` behind its name.
    public init(log path: String, reach: Int = GrantedDecisions.reach) {
        logs = [path, path + ".1"].map { GrantedDecisions.end(of: $0, reach) }
    }

    init(lines: [UInt8]) { logs = [lines] }

    /// The newest one of this connection that admitted this key to this account; without a connection, or where it has none, the newest of any, which began
    /// within two minutes.
    public func decision(of attempt: String?, account: Text, key: Text, at now: UnixTime) -> Decision? {
        var other: Decision?
        let found = newest(having: key.utf8) { decision in
            guard decision.account == account, decision.identity.keyFingerprint == key else { return false }
            if attempt == nil || decision.attempt == attempt { return true }
            if other == nil, decision.time + 120 > now { other = decision }
            return false
        }
        return found ?? other
    }

    /// The newest one of a connection.
    public func decision(of attempt: String) -> Decision? { newest(having: Array(attempt.utf8)) { $0.attempt == attempt } }

    private func newest(having piece: [UInt8], _ fits: (Decision) -> Bool) -> Decision? {
        for log in logs {
            for line in log.split(separator: UInt8(ascii: "\n")).reversed() where GrantedDecisions.contains(line, piece) {
                if let decision = Decision(parsing: Array(line)), fits(decision) { return decision }
            }
        }
        return nil
    }

    private static func contains(_ line: ArraySlice<UInt8>, _ piece: [UInt8]) -> Bool {
        // Both outlive the call, which reads no more than their lengths.
        unsafe line.withUnsafeBufferPointer { bytes in
            unsafe bytes.baseAddress.map { unsafe opk_contains($0, bytes.count, piece, piece.count) == 1 } ?? false
        }
    }

    /// The last `reach` bytes of a plain file that not everybody may write; without the line that they begin in the middle of.
    private static func end(of path: String, _ reach: Int) -> [UInt8] {
        // The path is copied.
        let descriptor = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var facts = stat()
        guard unsafe fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG, facts.st_mode & 0o002 == 0 else { return [] }
        let start = max(0, Int(facts.st_size) - reach)
        var bytes = [UInt8](repeating: 0, count: Int(facts.st_size) - start)
        var filled = 0
        while filled < bytes.count {
            // At most the bytes that the array has left, and it outlives the call.
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(descriptor, buffer.baseAddress?.advanced(by: filled), buffer.count - filled, off_t(start + filled))
            }
            guard count > 0 else { break }
            filled += count
        }
        bytes.removeLast(bytes.count - filled)
        guard start > 0 else { return bytes }
        return bytes.firstIndex(of: UInt8(ascii: "\n")).map { Array(bytes[($0 + 1)...]) } ?? []
    }
}

extension GrantedDecisions.Decision {
    /// Nil for any other line.
    init?(parsing line: [UInt8]) {
        guard line.count <= 8 << 10, let members = try? JSONObject(parsing: line), members["type"]?.string == "decision",
            members["granted"]?.bool == true, let account = members["account"]?.string,
            let time = members["time"]?.string.flatMap({ UnixTime(rfc3339: $0) })
        else { return nil }
        (self.account, self.time) = (account, time)
        attempt = members["attempt"]?.string?.string
        address = members["source_address"]?.string
        identity = SessionIdentity(members)
    }
}
