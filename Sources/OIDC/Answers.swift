import HTTP
import JOSE
import Vocabulary

extension HTTPResponse {
    /// The answer's one JSON object: status 200, a JSON content type (C09), no duplicate members.
    func json(_ document: OIDCError.Document) throws(OIDCError) -> JSONObject {
        guard status == 200 else { throw .status(document, status) }
        return try object(document)
    }

    /// Whatever the status.
    func object(_ document: OIDCError.Document) throws(OIDCError) -> JSONObject {
        guard isJSON else { throw .notJSON(document) }
        do {
            return try JSONObject(parsing: body)
        } catch {
            throw .malformed(document, "\(error.reason.rawValue) (byte \(error.offset))")
        }
    }
}

/// A request whose failure is OIDC's.
func asking(_ request: () throws(HTTPError) -> HTTPResponse) throws(OIDCError) -> HTTPResponse {
    do {
        return try request()
    } catch {
        throw .http(error)
    }
}

extension HTTPClient {
    /// The same client with what is left until `end`, but at least a millisecond: then the request itself says that the time is over.
    func until(_ end: ContinuousClock.Instant) -> HTTPClient {
        var client = self
        client.timeout = max(.milliseconds(1), ContinuousClock.now.duration(to: end))
        return client
    }
}
