import Foundation

/// glewlwyd, a real OpenID provider, set up by the script that lies with the published test data.
final class Glewlwyd: Sendable {
    let issuer: String
    private let folder: URL
    private let port: UInt16

    /// As the script has it: a public client, and one person.
    static let client = "opkssh"
    static let scopes = "openid email profile groups"

    static func start(_ laptop: Laptop) async throws -> Glewlwyd {
        let folder = laptop.home.appendingPathComponent("glewlwyd")
        let port = try Machine.freePort()
        let script = try BackgroundProcess(
            "bash", [Machine.providerScripts.appendingPathComponent("glewlwyd-op.sh").path, folder.path, String(port)],
            log: laptop.home.appendingPathComponent("glewlwyd.log"))
        do {
            let issuer = try await script.waitForLine(seconds: 60, "ready:") {
                $0.hasPrefix("ready: ") ? String($0.dropFirst("ready: ".count)) : nil
            }
            _ = try await script.waitForEnd()
            return Glewlwyd(issuer: issuer, folder: folder, port: port)
        } catch {
            await script.stop()
            Glewlwyd.kill(folder)
            throw error
        }
    }

    private init(issuer: String, folder: URL, port: UInt16) {
        self.issuer = issuer
        self.folder = folder
        self.port = port
    }

    func stop() {
        Glewlwyd.kill(folder)
    }

    private static func kill(_ folder: URL) {
        guard let text = try? String(contentsOf: folder.appendingPathComponent("pid"), encoding: .utf8),
            let process = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)), process > 1
        else { return }
        Foundation.kill(process, SIGTERM)
    }

    /// New signing keys, and the old ones gone.
    func rotate() async throws {
        try await Command.mustRun(
            "bash", [Machine.providerScripts.appendingPathComponent("glewlwyd-rotate.sh").path, folder.path, String(port)])
    }

    /// In a real browser: its login form, and the click that it wants besides.
    static let formSteps: [Chromium.Step] = [
        .fill(["username": "alice", "password": "alice-password-1"]), .press("OK"), .press("Continue"),
    ]

    /// In the place of a browser and of alice: follows the URL to the login page, logs in, and goes on to where the page would go.
    func logInAsAlice(_ url: String) async throws {
        let jar = folder.appendingPathComponent("browser.jar").path
        let curl = ["-sS", "-b", jar, "-c", jar, "--max-time", "20"]
        let page = try await Command.mustRun("curl", curl + ["-o", "/dev/null", "-w", "%{redirect_url}", url])
        guard let items = URLComponents(string: page)?.queryItems, let callback = items.first(where: { $0.name == "callback_url" })?.value
        else { throw HarnessError("glewlwyd's login page has no callback_url: \(page)") }
        try await Command.mustRun(
            "curl",
            curl + [
                "-f", "-H", "Content-Type: application/json", "-d", #"{"username": "alice", "password": "alice-password-1"}"#,
                "http://localhost:\(port)/api/auth/",
            ])
        try await Command.mustRun("curl", curl + ["-f", "-L", "-o", "/dev/null", callback + "&g_continue"])
    }
}

/// A laptop and glewlwyd for the length of `body`.
func withGlewlwyd(_ body: (Laptop, Glewlwyd, Server) async throws -> Void) async throws {
    try await withLaptop { laptop, server in
        let provider = try await Glewlwyd.start(laptop)
        defer { provider.stop() }
        try await body(laptop, provider, server)
    }
}
