import Foundation

/// github.com's Actions, as far as a job sees them: a proxy on loopback that answers itself for the two hosts, with certificates that only who
/// is told to trusts, and RS256 tokens of a key of its own.
final class ActionsFront: Sendable {
    static let issuer = "https://token.actions.githubusercontent.com"
    static let subject = "repo:acme/app:ref:refs/heads/main"

    /// What programs need to get here: `HTTPS_PROXY`, `SSL_CERT_FILE`.
    let way: [String: String]
    private let process: BackgroundProcess

    /// What GitHub's runner sets for a job that may ask for its identity.
    static let job = [
        "CI": "true", "GITHUB_ACTIONS": "true",
        "ACTIONS_ID_TOKEN_REQUEST_URL": "https://pipelines.actions.githubusercontent.com/154//idtoken/a/b?api-version=2.0",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner-token",
    ]

    private static let program = """
        import base64, http.server, json, ssl, subprocess, sys, time, urllib.parse
        port, certificate, key, signer, subject = int(sys.argv[1]), *sys.argv[2:]
        issuer = "https://token.actions.githubusercontent.com"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        modulus = int(subprocess.check_output(["openssl", "rsa", "-in", signer, "-noout", "-modulus"]).split(b"=")[1], 16)

        def b64(data):
            return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

        def token(audience):
            now = int(time.time())
            header = {"typ": "JWT", "alg": "RS256", "x5t": "abc", "kid": "key-1"}
            claims = {"jti": "1", "sub": subject, "aud": audience, "ref": "refs/heads/main", "repository": "acme/app", "iss": issuer,
                      "nbf": now - 60, "exp": now + 300, "iat": now}
            signed = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
            signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", signer], input=signed.encode(), capture_output=True, check=True)
            return signed + "." + b64(signature.stdout)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_CONNECT(self):
                self.wfile.write(b"HTTP/1.1 200 Connection established\\r\\n\\r\\n")
                self.connection = context.wrap_socket(self.connection, server_side=True)
                self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)

            def do_GET(self):
                url = urllib.parse.urlsplit(self.path)
                answer, status = {}, 200
                if url.path == "/.well-known/openid-configuration":
                    answer = {"issuer": issuer, "jwks_uri": issuer + "/.well-known/jwks"}
                elif url.path == "/.well-known/jwks":
                    answer = {"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "key-1", "e": "AQAB", "n": b64(modulus.to_bytes(256, "big"))}]}
                elif "/idtoken/" in url.path and self.headers["Authorization"] == "Bearer runner-token":
                    answer = {"value": token(urllib.parse.parse_qs(url.query)["audience"][0])}
                else:
                    status = 401
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        print("ready", flush=True)
        server.serve_forever()

        """

    /// - Parameter folder: where everybody may read.
    static func start(_ laptop: Laptop, folder: URL) async throws -> ActionsFront {
        let certificate = folder.appendingPathComponent("actions.pem").path
        let (key, signer, script) = (laptop.path("actions.key"), laptop.path("signer.pem"), laptop.path("actions.py"))
        let names = ["token", "pipelines"].map { "DNS:\($0).actions.githubusercontent.com" }.joined(separator: ",")
        try await Command.mustRun(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate,
                "-days", "2", "-subj", "/CN=actions", "-addext", "subjectAltName=\(names)",
            ])
        try await Command.mustRun("chmod", ["0644", certificate])
        try await Command.mustRun("openssl", ["genrsa", "-out", signer, "2048"])
        try program.write(toFile: script, atomically: true, encoding: .utf8)
        let port = try Machine.freePort()
        let process = try BackgroundProcess(
            "python3", [script, String(port), certificate, key, signer, subject], log: laptop.home.appendingPathComponent("actions.log"))
        _ = try await process.waitForLine("ready") { $0 == "ready" ? true : nil }
        return ActionsFront(way: ["HTTPS_PROXY": "http://127.0.0.1:\(port)", "SSL_CERT_FILE": certificate], process: process)
    }

    private init(way: [String: String], process: BackgroundProcess) {
        self.way = way
        self.process = process
    }

    /// For config.yml.
    var variables: String { "env_vars: {HTTPS_PROXY: \"\(way["HTTPS_PROXY"] ?? "")\", SSL_CERT_FILE: \"\(way["SSL_CERT_FILE"] ?? "")\"}\n" }

    func stop() async {
        await process.stop()
    }
}

/// A job's machine and github.com, for the length of `body`.
func withActions(_ body: (Laptop, ActionsFront, Server) async throws -> Void) async throws {
    try await withLaptop { laptop, server in
        let front = try await ActionsFront.start(laptop, folder: server.folder)
        let result: Result<Void, any Error>
        do {
            try await body(laptop, front, server)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await front.stop()
        try result.get()
    }
}
