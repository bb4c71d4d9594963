import ArgumentParser
import JOSE
import Vocabulary

/// Command-line options that say what a control document can say, as one.
struct ControlArguments {
    let autoLogin: String?
    let keyType: String
    let tokenLifetime: Int64
    let issuedAtOffset: Int64
    /// `ENDPOINT=FAULT`.
    let faults: [String]

    func documents() throws -> [Text] {
        var document = JSONObject()
        document["auto_login"] = autoLogin.map { .string(Text($0)) }
        document["key_type"] = .string(Text(keyType))
        document["token_lifetime"] = .number(JSONNumber(tokenLifetime))
        document["issued_at_offset"] = .number(JSONNumber(issuedAtOffset))
        var faultsByEndpoint = JSONObject()
        for fault in faults {
            let halves = fault.split(separator: "=", maxSplits: 1)
            guard halves.count == 2 else { throw ValidationError("a fault is written ENDPOINT=FAULT, as in jwks=slow:3") }
            faultsByEndpoint[Text(String(halves[0]))] = .string(Text(String(halves[1])))
        }
        document["faults"] = .object(faultsByEndpoint)
        return [Text(String(decoding: JSON.object(document).serialized, as: UTF8.self))]
    }
}
