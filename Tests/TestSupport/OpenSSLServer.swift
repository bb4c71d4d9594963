import ChildProcess
import Foundation

/// `openssl s_server` in a folder of its own, with pages of JSON and a certificate made for the occasion by an authority made for the
/// occasion. It serves a given number of connections and ends.
public final class OpenSSLServer: Sendable {
    public enum Certificate: CaseIterable, Sendable { case good, selfSigned, expired, otherHost, sha1 }

    public static let isThere: Bool = (try? run("version")) != nil

    public let port: UInt16
    /// The authority's certificate, a PEM file.
    public let authority: String
    private let folder: URL

    /// - Parameter pages: their paths, without the first slash, and their bodies for a server on this port.
    public init(
        certificate: Certificate, options: String = "", connections: Int = 1,
        pages: (_ port: UInt16) -> [String: String] = { _ in ["answer": "{}"] }
    ) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("opk-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        authority = folder.appendingPathComponent("ca.pem").path
        try OpenSSLServer.make(certificate, in: folder)
        port = try OpenSSLServer.freePort()
        for (path, body) in pages(port) {
            let file = folder.appendingPathComponent(path)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            let answer =
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n"
            try Data((answer + body).utf8).write(to: file)
        }
        // The server itself would not load a certificate with a SHA-1 signature at its usual level.
        let options = certificate == .sha1 ? "-cipher DEFAULT@SECLEVEL=0" : options
        let command = "s_server -accept 127.0.0.1:\(port) -naccept \(connections) -cert leaf.pem -key leaf.key -HTTP \(options)"
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
