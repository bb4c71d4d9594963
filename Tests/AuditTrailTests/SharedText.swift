import Foundation
import TestSupport

enum SharedText {
    static func auditLog() throws -> String {
        try String(contentsOf: SharedData.packageRoot.appendingPathComponent("docs/audit-log.md"), encoding: .utf8)
    }
}
