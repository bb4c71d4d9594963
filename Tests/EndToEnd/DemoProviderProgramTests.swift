import Foundation
import Testing

@Suite("The program opk-demo-provider", .enabled(if: Machine.programs != nil, "the programs are not built (make build)"))
struct DemoProviderProgramTests {
    private func start(_ arguments: [String]) throws -> BackgroundProcess {
        let program = Machine.programs?.appendingPathComponent("opk-demo-provider").path ?? ""
        let log = FileManager.default.temporaryDirectory.appendingPathComponent("opk-e2e-\(getpid())-\(UUID().uuidString)")
        return try BackgroundProcess(program, arguments, log: log)
    }

    @Test("listens nowhere but on loopback, and says why")
    func otherAddress() async throws {
        for address in ["0.0.0.0", "::", "192.0.2.1", "localhost.example"] {
            let process = try start(["--bind", address])
            #expect(try await process.waitForEnd() != 0)
            #expect(process.text.contains("loopback"))
            try FileManager.default.removeItem(at: process.log)
        }
    }

    @Test("says where it is on a line of its own, and ends well on SIGTERM")
    func termination() async throws {
        let process = try start(["--key-type", "ES256"])
        let issuer = try await process.waitForLine("issuer") { $0.hasPrefix("issuer: ") ? String($0.dropFirst("issuer: ".count)) : nil }
        #expect(issuer.hasPrefix("http://localhost:"))
        #expect(try await Command.mustRun("curl", ["-fsS", issuer + "/jwks"]).contains("P-256"))
        await process.stop()
        #expect(process.status == 0)
        try FileManager.default.removeItem(at: process.log)
    }

    @Test("ends when standard input closes, if it was told to")
    func standardInput() async throws {
        let process = try start(["--key-type", "ES256", "--exit-with-stdin"])
        #expect(try await process.waitForEnd() == 0)
        try FileManager.default.removeItem(at: process.log)
    }

    @Test("a wrong option or control document is one clear line and a status")
    func wrongCall() async throws {
        for arguments in [["--key-type", "HS256"], ["--fault", "moon=cut"], ["--control", "{"], ["--auto-login", "mallory"]] {
            let process = try start(arguments)
            #expect(try await process.waitForEnd() != 0)
            #expect(process.text.contains("Error: "))
            try FileManager.default.removeItem(at: process.log)
        }
    }
}
