import JOSE
import Vocabulary

/// One of the people that this provider knows.
struct Person: Sendable {
    let name: Text
    let displayName: String
    /// What the login page says about them.
    let remark: String
    /// The claims that the provider starts with; the control endpoint changes them.
    let claims: JSONObject

    static let all: [Person] = [
        Person(
            "alice", "Alice Example", "verified email, groups ops and dev", email: "alice@example.com", verified: true,
            groups: ["ops", "dev"]),
        Person("bob", "Bob Example", "verified email, group dev", email: "bob@example.com", verified: true, groups: ["dev"]),
        Person("carol", "Carol Example", "email not verified", email: "carol@example.com", verified: false, groups: []),
        Person("dave", "Dave Example", "no email at all", email: nil, verified: false, groups: []),
    ]

    static func named(_ name: Text) -> Person? {
        all.first { $0.name == name }
    }

    private init(_ name: Text, _ displayName: String, _ remark: String, email: Text?, verified: Bool, groups: [Text]) {
        self.name = name
        self.displayName = displayName
        self.remark = remark
        var claims = JSONObject()
        claims["sub"] = .string(Text("demo-" + name.string))
        claims["name"] = .string(Text(displayName))
        claims["preferred_username"] = .string(name)
        if let email {
            claims["email"] = .string(email)
            claims["email_verified"] = .bool(verified)
        }
        if !groups.isEmpty { claims["groups"] = .array(groups.map { .string($0) }) }
        self.claims = claims
    }
}
