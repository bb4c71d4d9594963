public import JOSE
import SSHKeys
import Vocabulary

extension Inspection {
    /// For scripts. Times are RFC 3339 in UTC, null for no limit, and besides as the certificate has them; the token and the access token are not in it.
    public var json: JSON {
        var document: JSON = [:]
        guard case .object(var object) = document else { return document }
        object["certificate"] = .object(certificateObject)
        object["openpubkey"] = .bool(certificate.isOpenPubkey)
        object["identity"] = claims.map(JSON.object) ?? .null
        object["provider_header"] = header.map(JSON.object) ?? .null
        object["client_header"] = clientHeader.map(JSON.object) ?? .null
        object["access_token_bytes"] = accessTokenLength.map { .number(JSONNumber(Int64($0))) } ?? .null
        object["refreshed_token"] = .bool(hasRefreshedToken)
        object["refreshed_identity"] = refreshedClaims.map(JSON.object) ?? .null
        object["checks"] = .array(checks.map(Inspection.object))
        object["sound"] = .bool(isSound)
        document = .object(object)
        return document
    }

    private var certificateObject: JSONObject {
        var object = JSONObject()
        object["type"] = .string(Text(certificate.type))
        object["kind"] = certificate.kind == .user ? "user" : "host"
        object["fingerprint"] = certificate.key.map { .string(Text($0.sshFingerprint)) } ?? .null
        object["key_id"] = Inspection.text(certificate.keyID)
        object["serial"] = Inspection.number(certificate.serial)
        object["principals"] = .array(certificate.principals.map(Inspection.text))
        object["valid_after"] = Inspection.time(certificate.validAfter)
        object["valid_before"] = Inspection.time(certificate.validBefore)
        object["valid_after_seconds"] = Inspection.number(certificate.validAfter)
        object["valid_before_seconds"] = Inspection.number(certificate.validBefore)
        object["critical_options"] = .array(certificate.criticalOptions.map { Inspection.text($0.name) })
        object["extensions"] = .array(certificate.extensions.map { Inspection.text($0.name) })
        return object
    }

    private static func object(_ check: Check) -> JSON {
        var object = JSONObject()
        object["name"] = .string(Text(check.name))
        switch check.answer {
        case .holds: object["result"] = "holds"
        case .fails(let why):
            object["result"] = "fails"
            object["why"] = .string(Text(why))
        case .unknown(let why):
            object["result"] = "unknown"
            object["why"] = .string(Text(why))
        }
        return .object(object)
    }

    /// Bytes that are not UTF-8 come out as U+FFFD.
    private static func text(_ bytes: [UInt8]) -> JSON {
        .string(Text(String(decoding: bytes, as: UTF8.self)))
    }

    /// Null for no limit, and beyond the year 9999, which RFC 3339 cannot write.
    private static func time(_ seconds: UInt64) -> JSON {
        guard let time = CertificateTime(seconds).time, time <= .endOfYear9999 else { return .null }
        return .string(Text("\(time)"))
    }

    /// Every digit of it: a certificate's numbers go beyond what a signed one can hold.
    private static func number(_ value: UInt64) -> JSON {
        (try? JSON(parsing: Array(String(value).utf8))) ?? .null
    }
}
