import Foundation

/// TLS in front of a plain HTTP server on loopback, with a certificate for localhost that nobody trusts who is not told to.
final class TLSFront: Sendable {
    let url: String
    /// The file that SSL_CERT_FILE names; readable by all.
    let certificateAuthority: String
    private let process: BackgroundProcess

    private static let program = """
        import socket, ssl, sys, threading
        port, upstream = int(sys.argv[1]), int(sys.argv[2])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[3], sys.argv[4])

        def pump(source, sink):
            try:
                while data := source.recv(65536):
                    sink.sendall(data)
            except OSError:
                pass
            try:
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                pass

        def serve(raw):
            try:
                with context.wrap_socket(raw, server_side=True) as client, socket.create_connection(("127.0.0.1", upstream)) as server:
                    other = threading.Thread(target=pump, args=(client, server), daemon=True)
                    other.start()
                    pump(server, client)
            except OSError:
                pass

        listener = socket.create_server(("127.0.0.1", port))
        print("ready", flush=True)
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

        """

    /// - Parameter folder: where everybody may read, since the certificate authority's file lies there.
    static func start(_ laptop: Laptop, folder: URL, port: UInt16, before upstream: UInt16) async throws -> TLSFront {
        let certificate = folder.appendingPathComponent("front.pem").path
        let key = laptop.path("front.key")
        try await Command.mustRun(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate,
                "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            ])
        try await Command.mustRun("chmod", ["0644", certificate])
        let script = laptop.path("front.py")
        try program.write(toFile: script, atomically: true, encoding: .utf8)
        let process = try BackgroundProcess(
            "python3", [script, String(port), String(upstream), certificate, key], log: laptop.home.appendingPathComponent("front.log"))
        _ = try await process.waitForLine("ready") { $0 == "ready" ? true : nil }
        return TLSFront(url: "https://localhost:\(port)", certificateAuthority: certificate, process: process)
    }

    private init(url: String, certificateAuthority: String, process: BackgroundProcess) {
        self.url = url
        self.certificateAuthority = certificateAuthority
        self.process = process
    }

    func stop() async {
        await process.stop()
    }
}

/// A laptop, and the demo provider behind TLS, for the length of `body`.
func withDemoProviderBehindTLS(_ body: (Laptop, DemoProviderProcess, TLSFront, Server) async throws -> Void) async throws {
    try await withLaptop { laptop, server in
        let (inner, outer) = (try Machine.freePort(), try Machine.freePort())
        let provider = try await DemoProviderProcess.start(laptop, port: inner, externalURL: "https://localhost:\(outer)")
        var front: TLSFront?
        let result: Result<Void, any Error>
        do {
            let started = try await TLSFront.start(laptop, folder: server.folder, port: outer, before: inner)
            front = started
            try await body(laptop, provider, started, server)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await front?.stop()
        await provider.stop()
        try result.get()
    }
}
