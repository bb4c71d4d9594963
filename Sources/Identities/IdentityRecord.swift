import JOSE
import Vocabulary

/// `NAME.json`: one object; a member that is unknown is ignored, one that is missing or malformed makes the file unusable.
extension StoredIdentity {
    func encoded() -> [UInt8] {
        var object = JSONObject()
        object["version"] = 1
        object["issuer"] = .string(issuer)
        object["client_id"] = .string(clientID)
        object["subject"] = .string(subject)
        object["email"] = email.map { .string($0) }
        object["logged_in_at"] = .number(JSONNumber(loggedInAt.seconds))
        object["ends"] = ends.map { .number(JSONNumber($0.seconds)) }
        object["store"] = .string(Text(store.rawValue))
        object["key_file"] = .string(Text(keyFile))
        object["public_key"] = .string(Text(Base64.encode(publicKey)))
        object["hosts"] = .array(hosts.map { .string($0) })
        object["refresh_token"] = refreshToken.map { .string(Text($0.rawValue)) }
        return JSON.object(object).serialized + [0x0A]
    }

    /// Nil where it is not such a file.
    init?(parsing bytes: [UInt8], name: IdentityName) {
        guard let object = try? JSONObject(parsing: bytes), object["version"]?.number?.integer == 1,
            let issuer = object["issuer"]?.string, let clientID = object["client_id"]?.string,
            let subject = object["subject"]?.string, !subject.isEmpty,
            let loggedInAt = object["logged_in_at"]?.number?.time,
            let store = (object["store"]?.string).flatMap({ KeyStore(rawValue: $0.string) }),
            let keyFile = object["key_file"]?.string, keyFile.utf8.first == UInt8(ascii: "/"),
            let publicKey = (object["public_key"]?.string).flatMap({ Base64.decode($0.utf8) }), !publicKey.isEmpty,
            let hosts = object["hosts"]?.array?.map(\.string), hosts.allSatisfy({ $0 != nil })
        else { return nil }
        var ends: UnixTime?
        if let value = object["ends"] {
            guard let time = value.number?.time else { return nil }
            ends = time
        }
        var refreshToken: RefreshTokenPlace?
        if let value = object["refresh_token"] {
            guard let place = (value.string).flatMap({ RefreshTokenPlace(rawValue: $0.string) }) else { return nil }
            refreshToken = place
        }
        self.init(
            name: name, issuer: issuer, clientID: clientID, subject: subject, email: object["email"]?.string, loggedInAt: loggedInAt,
            ends: ends, store: store, keyFile: keyFile.string, publicKey: publicKey, hosts: hosts.compactMap(\.self),
            refreshToken: refreshToken)
    }
}
