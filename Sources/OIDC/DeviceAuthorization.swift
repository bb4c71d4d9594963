public import HTTP
import JOSE
public import Vocabulary

/// What a provider gives to a device that cannot show its login page (RFC 8628 section 3.2): where a person goes with which code, and how
/// often the device may ask whether he has been there.
public struct DeviceAuthorization: Sendable {
    /// Goes to the token endpoint and nowhere else.
    let deviceCode: Secret
    /// What the person types. Hostile: escape before showing (C35). At most 64 bytes.
    public let userCode: Text
    /// Where, as the provider spells it: a URL that may be asked on behalf of this issuer, so https unless the issuer is this machine
    /// itself (C33).
    public let verificationURI: WebURL
    /// The same with the code in it, if the provider gave one at the same place.
    public let verificationURIComplete: WebURL?
    /// The provider named another place, or none that can be opened, as the complete one: it is not to be used (C36).
    public let isCompleteIgnored: Bool
    /// Seconds from the answer for which the code is good: 1 to a day.
    public let expiresIn: Int64
    /// Seconds between two questions, at least 5 (C32).
    public let interval: Int64

    /// Also where the provider wants less: RFC 8628's own default.
    public static let shortestInterval: Int64 = 5
    /// A day; a code that lives longer is taken to live so long.
    static let longestLife: Int64 = 86_400

    init(_ object: JSONObject, from provider: DiscoveryDocument) throws(OIDCError) {
        guard let code = object["device_code"]?.string, !code.isEmpty, code.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
            throw .malformed(.device, "device_code is missing")
        }
        guard let userCode = object["user_code"]?.string, (1...64).contains(userCode.count) else {
            throw .malformed(.device, "user_code is missing or too long")
        }
        let endpoint = Endpoint(of: try DiscoveryDocument.issuerURL(provider.issuer))
        // Google's name for it is older than the RFC.
        guard let place = (object["verification_uri"] ?? object["verification_url"])?.string else {
            throw .malformed(.device, "verification_uri is missing")
        }
        verificationURI = try endpoint.url("verification_uri", place)
        let complete = object["verification_uri_complete"]
        verificationURIComplete = complete?.string.flatMap { try? endpoint.url("verification_uri_complete", $0) }
            .flatMap { [verificationURI] in $0.origin == verificationURI.origin ? $0 : nil }
        isCompleteIgnored = complete != nil && complete != .null && verificationURIComplete == nil
        guard let life = object["expires_in"]?.number?.time?.seconds, life > 0 else {
            throw .malformed(.device, "expires_in is not a number of seconds")
        }
        expiresIn = min(life, DeviceAuthorization.longestLife)
        interval = try DeviceAuthorization.interval(object["interval"])
        guard interval < expiresIn || interval == DeviceAuthorization.shortestInterval else {
            throw .malformed(.device, "interval is longer than the code is good for")
        }
        deviceCode = Secret(code.utf8)
        self.userCode = userCode
    }

    /// Absent, null, zero and less mean 5 (section 3.2). A number beyond all time is too long for every code.
    private static func interval(_ value: JSON?) throws(OIDCError) -> Int64 {
        guard let value, value != .null else { return shortestInterval }
        guard let number = value.number else { throw .malformed(.device, "interval is not a number of seconds") }
        if number.text.hasPrefix("-") { return shortestInterval }
        return max(shortestInterval, number.time?.seconds ?? .max)
    }
}
