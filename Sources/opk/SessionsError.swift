import AuditTrail
import ChildProcess
import Policy
import SafeFiles
import Sessions
import Vocabulary

/// Why a command about sessions did not do what it was asked.
enum SessionsError: Error {
    case notRoot
    case unsafe(UnsafeFile)
    case nobody(Text, live: Int)
    case notEnded([String])
    case output(errno: Int32)

    static func reading<Value>(_ body: () throws(UnsafeFile) -> Value) throws(SessionsError) -> Value {
        do { return try body() } catch { throw .unsafe(error) }
    }
}

extension SessionsError: ToldError {
    var description: String {
        switch self {
        case .notRoot: "sessions are root's to see and to end"
        case .unsafe(let file): "\(file)"
        case .nobody(let who, let live):
            "nobody of that name is in: \(who.escaped(limit: 128)) (\(live == 1 ? "1 session is" : "\(live) sessions are") live)"
        case .notEnded(let ids): "still there: \(ids.joined(separator: ", "))"
        case .output(let number): "the answer cannot be written: error \(number)"
        }
    }

    var hint: String? {
        switch self {
        case .notRoot: "sudo opk sessions"
        case .nobody: "sudo opk sessions lists who is in"
        case .notEnded, .unsafe, .output: nil
        }
    }

    var isUsage: Bool { false }
}

/// What config.yml says about sessions now.
enum ServerLimits {
    static func read(_ places: SessionPlaces) throws -> SessionLimits {
        SessionLimits(try ServerConfig.read(places.configFolder + "/config.yml", trust: places.trust))
    }
}
