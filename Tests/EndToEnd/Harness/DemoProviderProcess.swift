import Foundation

/// opk-demo-provider, the program, beside the test.
final class DemoProviderProcess: Sendable {
    let issuer: String
    private let controlToken: String
    private let address: String
    private let process: BackgroundProcess

    /// - Parameter externalURL: its issuer, where a TLS front stands before it.
    static func start(_ laptop: Laptop, _ arguments: [String] = [], port: UInt16 = 0, externalURL: String? = nil, name: String = "provider")
        async throws -> DemoProviderProcess
    {
        guard let program = Machine.programs?.appendingPathComponent("opk-demo-provider").path else { throw HarnessError("no provider") }
        let all = ["--port", String(port)] + (externalURL.map { ["--external-url", $0] } ?? []) + arguments
        let process = try BackgroundProcess(program, all, log: laptop.home.appendingPathComponent("\(name).log"))
        func value(_ name: String) async throws -> String {
            try await process.waitForLine(name) { $0.hasPrefix(name + ": ") ? String($0.dropFirst(name.count + 2)) : nil }
        }
        do {
            let issuer = try await value("issuer")
            return DemoProviderProcess(
                issuer: issuer, controlToken: try await value("control-token"),
                address: externalURL == nil ? issuer : "http://127.0.0.1:\(port)", process: process)
        } catch {
            await process.stop()
            throw error
        }
    }

    private init(issuer: String, controlToken: String, address: String, process: BackgroundProcess) {
        self.issuer = issuer
        self.controlToken = controlToken
        self.address = address
        self.process = process
    }

    var clientSpecification: String { issuer + ",opk-demo" }

    func stop() async {
        await process.stop()
    }

    func control(_ document: String) async throws {
        try await Command.mustRun(
            "curl", ["-fsS", "-X", "POST", "-H", "Authorization: Bearer \(controlToken)", "-d", document, address + "/control"])
    }

    /// How many requests came for each path.
    func requests() async throws -> [String: Int] {
        let answer = try await Command.mustRun(
            "curl", ["-fsS", "-H", "Authorization: Bearer \(controlToken)", address + "/control/requests"])
        return try JSONDecoder().decode([String: Int].self, from: Data(answer.utf8))
    }

    /// In the place of a browser: presses this person's button and follows the redirect.
    func press(_ person: String, _ curl: [String] = []) -> (String) async throws -> Void {
        { url in
            try await Command.mustRun("curl", ["-fsS", "-L", "--max-time", "20", "--data", "person=\(person)"] + curl + [url])
        }
    }
}

/// A laptop and a demo provider for the length of `body`.
func withDemoProvider(_ arguments: [String] = [], _ body: (Laptop, DemoProviderProcess, Server) async throws -> Void) async throws {
    try await withLaptop { laptop, server in
        let provider = try await DemoProviderProcess.start(laptop, arguments)
        do {
            try await body(laptop, provider, server)
        } catch {
            await provider.stop()
            throw error
        }
        await provider.stop()
    }
}
