import ChildProcess
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

    @Test("C07 below 1.2 is refused")
    func old() throws {
        let server = try OpenSSLServer(certificate: .good, options: "-tls1_1 -cipher DEFAULT@SECLEVEL=0")
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

/// `openssl s_server -WWW` in a folder of its own, with one file, `answer`. It serves a given number of connections and ends.
final class OpenSSLServer: Sendable {
    enum Certificate: CaseIterable { case good, selfSigned, expired, otherHost, sha1 }

    static let isThere: Bool = (try? run("version")) != nil

    let port: UInt16
    let authority: String
    private let folder: URL

    init(certificate: Certificate, options: String = "", connections: Int = 1) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("opk-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        authority = folder.appendingPathComponent("ca.pem").path
        try Data("{}".utf8).write(to: folder.appendingPathComponent("answer"))
        try OpenSSLServer.make(certificate, in: folder)
        port = try OpenSSLServer.freePort()
        // The server itself would not load a certificate with a SHA-1 signature at its usual level.
        let options = certificate == .sha1 ? "-cipher DEFAULT@SECLEVEL=0" : options
        let command = "s_server -accept 127.0.0.1:\(port) -naccept \(connections) -cert leaf.pem -key leaf.key -WWW \(options)"
        Thread.detachNewThread { [folder] in try? OpenSSLServer.run(command, in: folder) }
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    /// Free now. Whoever takes it in between makes the test fail, not pass.
    private static func freePort() throws -> UInt16 {
        try ScriptedServer().port
    }

    private static func make(_ certificate: Certificate, in folder: URL) throws {
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        try run("req -x509 \(key) -keyout ca.key -out ca.pem -subj /CN=authority -days 2", in: folder)
        let name = certificate == .otherHost ? "other.example" : "localhost"
        let subject = "\(key) -keyout leaf.key -subj /CN=\(name) -addext subjectAltName=DNS:\(name)"
        if certificate == .selfSigned { return try run("req -x509 \(subject) -out leaf.pem -days 2", in: folder) }
        try run("req \(subject) -out leaf.csr", in: folder)
        let hash = certificate == .sha1 ? "-sha1" : "-sha256"
        let days = certificate == .expired ? "-1" : "2"
        try run(
            "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -copy_extensions copy -out leaf.pem \(hash) -days \(days)",
            in: folder)
    }

    /// The command line is ours, so a shell does no harm, and it changes the folder.
    private static func run(_ command: String, in folder: URL = FileManager.default.temporaryDirectory) throws {
        let outcome = try ChildProcess.run(
            "/bin/sh", ["-c", "cd '\(folder.path)' && exec openssl \(command)"], environment: .inherited(), deadline: 30_000)
        guard outcome.succeeded else { throw CocoaError(.executableLoad) }
    }
}
