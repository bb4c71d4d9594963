import JOSE
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What is remembered from one minute to the next: one JSON object, replaced as a whole, 0600.
struct StateFile {
    let path: String

    private static let largest = 8 << 20

    /// Nil where there is none. One that cannot be believed is an error: to begin anew would tell everybody everything again.
    func read() throws(AlertError) -> JSONObject? {
        let bytes: [UInt8]?
        do throws(UnsafeFile) {
            bytes = try SafeFile.read(path, trust: .rootOrUser(geteuid()), limit: StateFile.largest)
        } catch {
            throw .state(path: path, reason: "\(error)")
        }
        guard let bytes else { return nil }
        guard let object = try? JSONObject(parsing: bytes), object["version"] == 1 else {
            throw .state(path: path, reason: "it is not what opk writes")
        }
        return object
    }

    func write(_ object: JSONObject) throws(AlertError) {
        var object = object
        object["version"] = 1
        do {
            try AtomicFile.write(JSON.object(object).serialized + [0x0A], to: path, mode: 0o600)
        } catch {
            throw .writing("\(error)")
        }
    }

    /// Nobody else at the same time: two would tell the same twice.
    func alone<Result>(_ body: () throws(AlertError) -> Result) throws(AlertError) -> Result {
        try FileLock.attempt(path + ".lock", waitingAtMost: 5_000) { state throws(AlertError) in
            switch state {
            case .held: return try body()
            case .busy, .stuck: throw .busy(path: path + ".lock")
            case .unavailable(let failure): throw .writing("\(failure)")
            }
        }
    }
}
