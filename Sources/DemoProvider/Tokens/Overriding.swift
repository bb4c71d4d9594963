import JOSE
import Vocabulary

extension JSONObject {
    /// This object with the members of another in the place of its own; null takes a member away.
    func overridden(by changes: JSONObject?) -> JSONObject {
        var out = self
        for change in changes?.members ?? [] {
            out[change.name] = change.value == .null ? JSON?.none : change.value
        }
        return out
    }

    /// The members in this order; of a name that comes twice, the last.
    init(_ first: [(Text, JSON)]) {
        self.init()
        for (name, value) in first { self[name] = value }
    }
}
