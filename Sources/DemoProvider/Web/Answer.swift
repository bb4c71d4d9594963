import FlyingFox
import Foundation
import JOSE
import Vocabulary

/// The kinds of answer that there are.
enum Answer {
    static func json(_ document: JSON, status: HTTPStatusCode = .ok) -> HTTPResponse {
        HTTPResponse(
            statusCode: status, headers: headers("application/json"), body: Data(document.serialized))
    }

    static func page(_ html: String, status: HTTPStatusCode = .ok) -> HTTPResponse {
        var headers = headers("text/html; charset=utf-8")
        headers[HTTPHeader("Content-Security-Policy")] = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'"
        headers[HTTPHeader("Referrer-Policy")] = "no-referrer"
        return HTTPResponse(statusCode: status, headers: headers, body: Data(html.utf8))
    }

    static func styleSheet(_ css: String) -> HTTPResponse {
        HTTPResponse(statusCode: .ok, headers: headers("text/css; charset=utf-8"), body: Data(css.utf8))
    }

    static func plain(_ text: String, status: HTTPStatusCode) -> HTTPResponse {
        HTTPResponse(statusCode: status, headers: headers("text/plain; charset=utf-8"), body: Data((text + "\n").utf8))
    }

    static func redirect(to location: String, status: HTTPStatusCode = .found) -> HTTPResponse {
        var headers = headers("text/plain; charset=utf-8")
        headers[.location] = location
        return HTTPResponse(statusCode: status, headers: headers)
    }

    static func empty(_ status: HTTPStatusCode = .ok) -> HTTPResponse {
        HTTPResponse(statusCode: status, headers: [.cacheControl: "no-store"])
    }

    private static func headers(_ contentType: String) -> HTTPHeaders {
        [
            .contentType: contentType,
            .cacheControl: "no-store",
            HTTPHeader("X-Content-Type-Options"): "nosniff",
        ]
    }
}
