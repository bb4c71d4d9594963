public import Vocabulary

/// A JSON value (RFC 8259), read so that no two readers can disagree about it: no duplicate members, text compared by bytes,
/// numbers kept as they were written.
public enum JSON: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(Text)
    case array([JSON])
    case object(JSONObject)

    public var string: Text? { if case .string(let text) = self { text } else { nil } }
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var number: JSONNumber? { if case .number(let value) = self { value } else { nil } }
    public var array: [JSON]? { if case .array(let elements) = self { elements } else { nil } }
    public var object: JSONObject? { if case .object(let object) = self { object } else { nil } }

    /// The member of an object; nil where this is no object or has no such member.
    public subscript(_ name: Text) -> JSON? { object?[name] }
}

/// An object's members in the order in which they were received; no name occurs twice.
public struct JSONObject: Hashable, Sendable {
    public struct Member: Hashable, Sendable {
        public let name: Text
        public let value: JSON
    }

    public private(set) var members: [Member]

    /// Nil where a name occurs twice.
    public init?(_ members: [Member]) {
        if members.count > 8 {
            // Sorted, equal names are neighbours; a set would cost more to set up than all of this.
            let names = members.map(\.name).sorted()
            for index in names.indices.dropFirst() where names[index - 1] == names[index] { return nil }
        } else {
            for (index, member) in members.enumerated() where members[..<index].contains(where: { $0.name == member.name }) { return nil }
        }
        self.members = members
    }

    public init() { members = [] }

    /// Names are compared exactly: `Email` is not `email` (V16).
    public subscript(_ name: Text) -> JSON? {
        get { members.first { $0.name == name }?.value }
        set {
            let index = members.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): members[index] = Member(name: name, value: value)
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(name: name, value: value))
            case (nil, nil): break
            }
        }
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    public init(stringLiteral value: String) { self = .string(Text(value)) }
    public init(integerLiteral value: Int64) { self = .number(JSONNumber(value)) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    public init(nilLiteral: ()) { self = .null }

    /// A later member of the same name replaces an earlier one.
    public init(dictionaryLiteral elements: (Text, JSON)...) {
        var object = JSONObject()
        for (name, value) in elements { object[name] = value }
        self = .object(object)
    }
}
