import FlyingFox
import Foundation
import Vocabulary

/// What the endpoints see of a request.
struct Request: Sendable {
    let method: String
    let path: String
    let query: Form
    /// The body's fields, where it is a form.
    let form: Form
    let body: [UInt8]
    let authorization: Text?
    let host: Text?

    /// The largest body that is read.
    static let bodyLimit = 1 << 20

    /// Nil where a parameter is not percent-encoded UTF-8, or the body is too large.
    init?(_ request: HTTPRequest) async throws {
        guard let query = Form(parsing: request.target.query().utf8) else { return nil }
        var body: [UInt8] = []
        for try await chunk in request.bodySequence {
            guard body.count + chunk.count <= Request.bodyLimit else { return nil }
            body += chunk
        }
        let isForm = request.headers[.contentType]?.lowercased().hasPrefix("application/x-www-form-urlencoded") ?? false
        guard let form = isForm ? Form(parsing: body) : .empty else { return nil }
        method = request.method.rawValue
        path = request.target.path()
        self.query = query
        self.form = form
        self.body = body
        authorization = request.headers[.authorization].map { Text($0) }
        host = request.headers[.host].map { Text($0) }
    }

    /// RFC 6750 section 2.1.
    var bearerToken: Text? {
        guard let authorization, let scheme = Text(validating: authorization.utf8.prefix(7)),
            scheme.equalsIgnoringASCIICase("Bearer ")
        else { return nil }
        return authorization.dropFirst(7)
    }

    /// Whether the Host header names this machine's loopback: a page elsewhere that rebinds its name to 127.0.0.1 gets nothing.
    var isForLoopback: Bool {
        guard let host else { return false }
        return LoopbackHost(authority: host) != nil
    }
}
