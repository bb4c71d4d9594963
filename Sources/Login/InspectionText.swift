import Display
import JOSE
import LibCrypto
import SSHKeys
public import Vocabulary

// An inspection for a person. Everything that stands in a certificate or a token may have been written by anybody: it is escaped and cut.

extension Inspection {
    /// Lines without line breaks.
    public func lines(now: UnixTime) -> [String] {
        var lines = ["Certificate"] + certificateLines(now: now)
        if let claims {
            lines += ["", "Identity (what the token says)"]
            lines += claims.members.map { field($0.name.escaped(limit: 40), claimText($0.name, $0.value, now)) }
            if let header {
                lines += ["", "Provider's signature"]
                lines += header.members.map { field($0.name.escaped(limit: 40), claimText("", $0.value, now)) }
            }
            if let clientHeader {
                lines += ["", "Client's signature"]
                lines += clientHeader.members.map { field($0.name.escaped(limit: 40), clientText($0.name, $0.value, now)) }
            }
            if let refreshedClaims {
                lines += ["", "Refreshed identity"]
                lines += refreshedClaims.members.map { field($0.name.escaped(limit: 40), claimText($0.name, $0.value, now)) }
            }
        } else if certificate.isOpenPubkey {
            lines += ["", "The PK token cannot be read."]
        } else {
            lines += ["", "There is no PK token in it: this is not an OpenPubkey certificate."]
        }
        lines += ["", "Checks"]
        lines += checks.map { check in
            switch check.answer {
            case .holds: "  ok       \(check.question)"
            case .fails(let why): "  FAILS    \(check.question): \(why)"
            case .unknown(let why): "  unknown  \(check.question): \(why)"
            }
        }
        return lines
    }

    private func certificateLines(now: UnixTime) -> [String] {
        let principals = certificate.principals.map { escaped($0, limit: 128) }
        var lines = [
            field("type", escaped(certificate.type.utf8, limit: 64) + (certificate.kind == .user ? " (user)" : " (HOST)")),
            field("key", certificate.key?.sshFingerprint ?? "of a type that opk does not use"),
            field("key id", escaped(certificate.keyID, limit: 200)),
            field("serial", String(certificate.serial)),
            field("accounts", accounts(principals)),
            field("valid from", CertificateTime(certificate.validAfter).text(from: now)),
            field("valid until", CertificateTime(certificate.validBefore).text(from: now)),
        ]
        lines += certificate.criticalOptions.map { field("critical option", escaped($0.name, limit: 64)) }
        for option in certificate.extensions {
            let name = escaped(option.name, limit: 64)
            lines.append(field("extension", option.hasValue ? "\(name) (\(option.value.count) bytes, not shown)" : name))
        }
        if hasRefreshedToken { lines.append(field("refreshed", "carries a refreshed ID token")) }
        return lines
    }

    private func accounts(_ principals: [String]) -> String {
        if principals.isEmpty { return "none named" }
        if principals == [Principal.wildcard.description] { return "any that a server allows (opkssh-wildcard)" }
        return principals.joined(separator: ", ")
    }

    private func claimText(_ name: Text, _ value: JSON, _ now: UnixTime) -> String {
        switch value {
        case .string(let text): return text.escaped(limit: 300)
        case .number(let number):
            guard Inspection.times.contains(name), let time = number.time else { return number.text.escaped(limit: 300) }
            let expired = name == "exp" && time <= now ? "expired " : ""
            return "\(time.local) (\(expired)\(RelativeTime.text(time, from: now)))"
        case .array(let elements) where elements.allSatisfy({ $0.string != nil }):
            return elements.prefix(100).compactMap { $0.string?.escaped(limit: 100) }.joined(separator: ", ")
        default: return escaped(value.serialized, limit: 300)
        }
    }

    /// The key as its fingerprint, as ssh shows keys.
    private func clientText(_ name: Text, _ value: JSON, _ now: UnixTime) -> String {
        if name == "upk", let key = value.object.flatMap(PublicKey.init(jwkMembers:)) { return key.sshFingerprint }
        return claimText("", value, now)
    }

    /// Claims that are NumericDates (RFC 7519 section 4.1, OpenID Connect Core sections 2 and 5.1).
    private static let times: Set<Text> = ["iat", "exp", "nbf", "auth_time", "updated_at"]

    private func field(_ name: String, _ value: String) -> String {
        "  " + name + String(repeating: " ", count: max(1, 18 - name.unicodeScalars.count)) + value
    }
}
