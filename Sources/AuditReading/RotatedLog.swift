public import Vocabulary

/// A file that the log was before it was rotated, packed or not, as bytes: for whoever has to go on where they were.
public struct RotatedLog: Sendable {
    public let path: String
    /// When its first event was written; where none is found at its beginning, when it was written to last.
    private let first: UnixTime

    /// Bytes that are read at once.
    private static let chunk = 256 << 10

    /// Those that were written to at `since` or later, nil for all; the oldest first. One that cannot be read is among them: reading it says why.
    public static func all(of log: String, since: UnixTime?) -> [RotatedLog] {
        let files = ((try? LogFile.all(of: log)) ?? []).filter { file in
            // A second for what packs a file and keeps its time in whole ones.
            file.path != log && since.map { file.changed + 1 >= $0 } ?? true
        }
        return files.map(RotatedLog.init).sorted { ($0.first, $1.path) < ($1.first, $0.path) }
    }

    private init(_ file: LogFile) {
        path = file.path
        var first: UnixTime?
        try? RotatedLog.read(file.path) { piece in
            for line in piece.split(separator: 0x0A).prefix(16) where first == nil { first = AuditRecord(Array(line))?.time }
            return false
        }
        self.first = first ?? file.changed
    }

    /// From the beginning, unpacked, piece by piece, until `body` answers false.
    public func read(_ body: (ArraySlice<UInt8>) -> Bool) throws(LogError) { try RotatedLog.read(path, body) }

    private static func read(_ path: String, _ body: (ArraySlice<UInt8>) -> Bool) throws(LogError) {
        var input = try LogInput(path)
        var buffer = [UInt8](repeating: 0, count: chunk)
        while true {
            let count = try input.read(into: &buffer, at: 0, count: buffer.count)
            if count == 0 || !body(buffer[..<count]) { return }
        }
    }
}
