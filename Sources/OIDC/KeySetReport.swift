public import HTTP
public import JOSE
import LibCrypto
public import Vocabulary

/// A provider's keys, each with what it is and, where it is not used, why.
public struct KeySetReport: Sendable {
    public let keys: [Key]

    public struct Key: Sendable {
        /// Hostile.
        public let keyID: Text?
        /// RSA with its bits, or a curve; hostile where it is not one of ours.
        public let kind: Text
        /// What it signs with; nil for a key that is not used.
        public let algorithm: JWSAlgorithm?
        /// Why it is not used.
        public let fault: Fault?
    }

    public enum Fault: String, Sendable {
        case notAnObject = "it is no object"
        case privateMember = "its private part is published: whoever reads it can be anybody here"
        case notForSignatures = "it is not for signatures"
        case kind = "a kind that is not used here"
        case algorithm = "an algorithm that is not used here"
        case keyID = "its kid is no text"
        case numbers = "its numbers make no key that may be used (RSA: 2048 to 8192 bits)"
    }

    public static func fetch(by document: DiscoveryDocument, client: HTTPClient) throws(OIDCError) -> KeySetReport {
        let response = try asking { () throws(HTTPError) in try client.get(document.jwksURI) }
        guard let elements = try response.json(.keys)["keys"]?.array else { throw .malformed(.keys, "keys is missing") }
        return KeySetReport(keys: elements.prefix(JWKSet.maximumKeys).map(key))
    }

    private static func key(_ element: JSON) -> Key {
        guard let object = element.object else { return Key(keyID: nil, kind: "", algorithm: nil, fault: .notAnObject) }
        let keyID = object["kid"]?.string
        // Whether it counts is decided where servers decide it.
        let key = JWK(object)
        let publicKey = key?.publicKey()
        let fault = publicKey == nil ? fault(of: object, counts: key != nil) : nil
        return Key(keyID: keyID, kind: kind(of: object, publicKey), algorithm: fault == nil ? key?.algorithm : nil, fault: fault)
    }

    private static func kind(of object: JSONObject, _ key: PublicKey?) -> Text {
        if case .rsa(let key) = key { return Text("RSA \(key.bits)") }
        return object["crv"]?.string ?? object["kty"]?.string ?? "?"
    }

    private static func fault(of object: JSONObject, counts: Bool) -> Fault {
        if counts { return .numbers }
        if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].contains(where: { object[$0] != nil }) { return .privateMember }
        if let use = object["use"], use.string != "sig" { return .notForSignatures }
        if let operations = object["key_ops"], operations.array?.contains("verify") != true { return .notForSignatures }
        if let keyID = object["kid"], keyID.string == nil { return .keyID }
        switch (object["kty"]?.string, object["crv"]?.string) {
        case ("RSA", _), ("EC", "P-256"), ("OKP", "Ed25519"): return object["alg"] == nil ? .numbers : .algorithm
        default: return .kind
        }
    }
}
