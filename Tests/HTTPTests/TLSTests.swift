import Foundation
import HTTP
import TestSupport
import Testing

/// A real TLS server (`openssl s_server`) with certificates made for the occasion by a private authority.
@Suite("C07 TLS", .enabled(if: OpenSSLServer.isThere, "the openssl command is not here"))
struct TLSTests {
    /// Asks again while the server is not up yet.
    private func get(_ server: OpenSSLServer, authorities: String?) throws -> HTTPResponse {
        let url = try WebURL(parsing: "https://localhost:\(server.port)/answer")
        let client = HTTPClient(timeout: .seconds(5), authorities: authorities)
        for _ in 0..<100 {
            do {
                return try client.get(url)
            } catch {
                guard error.code == .connectionFailed else { throw error }
                Thread.sleep(forTimeInterval: 0.1)
            }
        }
        return try client.get(url)
    }

    @Test("C07 is accepted from a server of the authority that was named, and only then")
    func good() throws {
        let server = try OpenSSLServer(certificate: .good, connections: 2)
        #expect(try get(server, authorities: server.authority).status == 200)
        #expect(throws: HTTPError.self) { try get(server, authorities: nil) }
    }

    @Test(
        "C07 is refused for a certificate that is self-signed, expired, for another host, or signed with SHA-1",
        arguments: OpenSSLServer.Certificate.allCases.filter { $0 != .good })
    func bad(certificate: OpenSSLServer.Certificate) throws {
        let server = try OpenSSLServer(certificate: certificate)
        let error = #expect(throws: HTTPError.self) { try get(server, authorities: server.authority) }
        #expect(error?.code == .tls)
        #expect(error.map { "\($0)".contains("https://localhost:\(server.port)/answer") } == true)
    }

    @Test("C07 below 1.2 is refused", arguments: ["-tls1", "-tls1_1"])
    func old(version: String) throws {
        let server = try OpenSSLServer(certificate: .good, options: version + " -cipher DEFAULT@SECLEVEL=0")
        let error = #expect(throws: HTTPError.self) { try get(server, authorities: server.authority) }
        #expect(error?.code == .tls)
    }

    @Test("an authorities file that is not there is said to be the trouble")
    func noAuthorities() throws {
        let server = try ScriptedServer()
        let client = HTTPClient(authorities: "/nonexistent/ca.pem")
        let error = #expect(throws: HTTPError.self) { try client.get(WebURL(parsing: "https://localhost:\(server.port)/")) }
        #expect(error?.code == .trustStore)
    }
}
