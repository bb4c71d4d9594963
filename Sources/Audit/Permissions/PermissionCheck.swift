public import JOSE
import Vocabulary

/// `opk permissions check`: whose everything is, and what may be done with it.
public struct PermissionCheck: Sendable {
    public let items: [Item]

    public struct Item: Sendable {
        public let expected: ExpectedPermission
        public let exists: Bool
        /// Nil where nothing is wrong.
        public let fault: String?
        let facts: FileFacts?
    }

    public init(_ places: AuditPlaces) {
        items = ExpectedPermissions(places).list.compactMap { expected in
            switch FileFacts.look(expected.path) {
            case .absent:
                guard expected.isRequired else { return nil }
                return Item(expected: expected, exists: false, fault: "\(expected.isFolder ? "folder" : "file") does not exist", facts: nil)
            case .hidden:
                return Item(expected: expected, exists: true, fault: "this is not for you to look at", facts: nil)
            case .found(let facts):
                return Item(expected: expected, exists: true, fault: expected.fault(of: facts), facts: facts)
            }
        }
    }

    public var faults: [Item] { items.filter { $0.fault != nil } }

    /// One line for each fault, none where there is none.
    public var lines: [String] {
        faults.map { "Problem: \(Text($0.expected.path).escaped): \(Text($0.fault ?? "").escaped)" }
    }

    /// opkssh's members (path, exists, permsErr), and beside them what is and what should be.
    public var json: JSON {
        .array(
            items.map { item in
                var object = JSONObject()
                object["path"] = .string(Text(item.expected.path))
                object["exists"] = .bool(item.exists)
                if let fault = item.fault { object["permsErr"] = .string(Text(fault)) }
                if let facts = item.facts {
                    object["owner"] = .string(Text(Group.owner(facts.owner)))
                    object["group"] = .string(Text(Group.name(of: facts.group)))
                    object["mode"] = .string(Text(facts.octal))
                }
                object["expected"] = [
                    "owner": .string(Text(item.expected.owner)), "group": item.expected.group.map { .string(Text($0)) } ?? .null,
                    "mode": .string(Text(octalText(item.expected.mode))),
                ]
                return .object(object)
            })
    }
}
