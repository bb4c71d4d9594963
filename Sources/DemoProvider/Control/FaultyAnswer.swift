import FlyingFox
import FlyingSocks
import Foundation
import Vocabulary

/// What a fault makes of an answer.
enum FaultyAnswer {
    /// Waits, or an answer in the place of the good one; nil where the endpoint answers.
    static func before(_ fault: Fault?, request: Request, issuer: Text) async -> HTTPResponse? {
        switch fault?.kind {
        case nil, .issuer, .cut: return nil
        case .slow(let seconds):
            try? await Task.sleep(for: .seconds(seconds))
            return nil
        case .status(let code): return Answer.plain("This is a fault that was asked for.", status: HTTPStatusCode(code, phrase: "Fault"))
        case .html: return Answer.page(Pages.problem("This is a fault that was asked for."))
        case .huge(let bytes):
            let body = SpaceSequence(remaining: bytes)
            let sequence =
                bytes.map { HTTPBodySequence(from: body, count: $0, suggestedBufferSize: SpaceSequence.chunk) }
                ?? HTTPBodySequence(from: body, suggestedBufferSize: SpaceSequence.chunk)
            let headers: HTTPHeaders = [.contentType: "application/json"]
            return HTTPResponse(statusCode: .ok, headers: headers, body: sequence)
        case .redirect(let to, let status):
            return Answer.redirect(
                to: to?.string ?? elsewhere(issuer).string + request.path, status: HTTPStatusCode(status, phrase: "Fault"))
        }
    }

    /// The good answer, or what the fault leaves of it.
    static func after(_ fault: Fault?, _ response: HTTPResponse) -> HTTPResponse {
        guard fault?.kind == .cut, case .httpBody(let body) = response.payload, let count = body.count else { return response }
        var cut = HTTPResponse(
            version: response.version, statusCode: response.statusCode, headers: response.headers,
            body: HTTPBodySequence(from: CutSequence(body: body), count: count + 1000))
        cut.headers[HTTPHeader("Connection")] = "close"
        return cut
    }

    /// The same server by another name, which is another origin.
    private static func elsewhere(_ issuer: Text) -> Text {
        let scheme: Text = issuer.hasPrefix("https://") ? "https://" : "http://"
        let authority = issuer.dropFirst(scheme.count) ?? ""
        let port = authority.utf8.lastIndex(of: UInt8(ascii: ":")).map { Array(authority.utf8[$0...]) } ?? []
        let host: Text = authority.hasPrefix("127.0.0.1") ? "localhost" : "127.0.0.1"
        return Text(validating: scheme.utf8 + host.utf8 + port) ?? issuer
    }
}

/// Spaces: so many, or, where `remaining` is nil, without end.
private struct SpaceSequence: AsyncBufferedSequence, AsyncBufferedIteratorProtocol {
    typealias Element = UInt8
    static let chunk = 65536
    var remaining: Int?

    func makeAsyncIterator() -> SpaceSequence { self }

    mutating func next() async throws -> UInt8? {
        try await nextBuffer(suggested: 1)?.first
    }

    mutating func nextBuffer(suggested count: Int) async throws -> [UInt8]? {
        try Task.checkCancellation()
        let size = Swift.min(remaining ?? SpaceSequence.chunk, SpaceSequence.chunk, Swift.max(count, 1))
        guard size > 0 else { return nil }
        remaining = remaining.map { $0 - size }
        return [UInt8](repeating: UInt8(ascii: " "), count: size)
    }
}

/// A body, and then an error in the place of the rest, on which the server closes the connection.
private struct CutSequence: AsyncBufferedSequence {
    typealias Element = UInt8
    let body: HTTPBodySequence

    struct CutOff: Error {}

    struct Iterator: AsyncBufferedIteratorProtocol {
        var chunks: HTTPBodySequence.Iterator

        mutating func next() async throws -> UInt8? {
            throw CutOff()
        }

        mutating func nextBuffer(suggested count: Int) async throws -> Data? {
            guard let chunk = try await chunks.next() else { throw CutOff() }
            return chunk
        }
    }

    func makeAsyncIterator() -> Iterator {
        Iterator(chunks: body.makeAsyncIterator())
    }
}
