import Foundation

/// A file of C2SP Wycheproof: groups that share a key, and cases that each say how they must end.
public struct Wycheproof {
    public struct Group {
        /// All of the group's members but `tests`.
        public let members: [String: Any]
        public let cases: [Case]

        public func object(_ name: String) -> [String: Any] { members[name] as? [String: Any] ?? [:] }
        public var comment: String { members["comment"] as? String ?? "" }
    }

    public struct Case: CustomStringConvertible {
        public let id: Int
        public let result: Result
        public let members: [String: Any]

        public var comment: String { members["comment"] as? String ?? "" }
        public var description: String { "tcId \(id) (\(comment))" }

        public func hex(_ name: String) -> [UInt8] { bytes(hex: members[name] as? String ?? "") }
        public func string(_ name: String) -> String? { members[name] as? String }
    }

    public enum Result: String {
        case valid, invalid, acceptable
    }

    public let groups: [Group]

    /// - Parameter name: without folder and `.json`.
    public init(_ name: String) throws {
        let root = try SharedData.json("wycheproof/\(name).json") as? [String: Any] ?? [:]
        let groups = root["testGroups"] as? [[String: Any]] ?? []
        self.groups = groups.map { group in
            let cases = (group["tests"] as? [[String: Any]] ?? []).compactMap { test -> Case? in
                guard let id = test["tcId"] as? Int, let result = (test["result"] as? String).flatMap(Result.init) else { return nil }
                return Case(id: id, result: result, members: test)
            }
            return Group(members: group, cases: cases)
        }
    }

    /// How many cases there are, so that a test can say that it saw them all.
    public var count: Int { groups.reduce(0) { $0 + $1.cases.count } }
}

/// The bytes of a hexadecimal text; nothing for one that is none.
public func bytes(hex text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    guard digits.count == text.count, digits.count.isMultiple(of: 2) else { return [] }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}
