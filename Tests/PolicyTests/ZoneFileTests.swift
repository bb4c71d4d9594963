import Foundation
import Testing
import Vocabulary

@testable import Policy

@Suite struct ZoneFileTests {
    @Test(
        "every zone of the system's database is whole, and none that is cut anywhere",
        arguments: ["Europe/Berlin", "UTC", "Asia/Kolkata", "America/New_York"])
    func whole(name: String) throws {
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: "/usr/share/zoneinfo/\(name)")))
        #expect(ZoneFile.isWhole(bytes[...]))
        for length in 0..<bytes.count { #expect(!ZoneFile.isWhole(bytes[..<length]), "\(name), cut at \(length)") }
        #expect(!ZoneFile.isWhole((bytes + [0])[...]) && !ZoneFile.isWhole((Array("TZif2".utf8) + [0, 0])[...]))
    }

    @Test("what lies beside the zones is none", arguments: ["localtime", "posixrules", "right/Europe/Berlin"])
    func others(name: String) {
        #expect(throws: RowFault.self) { try WeeklyHours("08:00-18:00 \(name)".text) }
    }
}

extension String {
    fileprivate var text: Text { Text(self) }
}
