import Foundation
import Testing

/// docs/cloud-init.md: the user data is what cloud-init takes, and the policy in it what opk takes.
@Suite(
    "User data for cloud-init",
    .enabled(if: Machine.path("cloud-init") != nil, "cloud-init is not installed (it would run at every start of this machine)"))
struct CloudInitTests {
    private static let page = Machine.packageRoot.appendingPathComponent("docs/cloud-init.md")

    /// What is fenced and begins as user data does.
    private func examples() throws -> [String] {
        let parts = try String(contentsOf: CloudInitTests.page, encoding: .utf8).components(separatedBy: "\n```")
        return parts.compactMap { part in
            guard let start = part.range(of: "\n"), part[start.upperBound...].hasPrefix("#cloud-config\n") else { return nil }
            return String(part[start.upperBound...]) + "\n"
        }
    }

    private func inFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("opk-cloud-init-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    @Test("cloud-init's schema has nothing to say")
    func schema() async throws {
        let examples = try examples()
        #expect(!examples.isEmpty)
        for example in examples {
            try await inFolder { folder in
                let file = folder.appendingPathComponent("user-data").path
                try example.write(toFile: file, atomically: true, encoding: .utf8)
                let outcome = try await Command.run(
                    "cloud-init", ["schema", "--config-file", file], environment: Command.environment(home: folder.path), deadline: 60)
                #expect(outcome.status == 0 && outcome.both.contains("Valid"), "\(outcome.both)")
            }
        }
    }

    @Test("the policy that it writes is one without errors", .enabled(if: Machine.programs != nil, "the programs are not built"))
    func policy() async throws {
        let script = """
            import os, sys, yaml
            for file in yaml.safe_load(open(sys.argv[1]))["write_files"]:
                if file["path"].startswith("/etc/opk/"):
                    assert file["permissions"] == "0640", file["path"]
                    open(os.path.join(sys.argv[2], os.path.basename(file["path"])), "w").write(file["content"])
            """
        let opk = try #require(Machine.programs).appendingPathComponent("opk").path
        for example in try examples() {
            try await inFolder { folder in
                let file = folder.appendingPathComponent("user-data").path
                try example.write(toFile: file, atomically: true, encoding: .utf8)
                let policy = folder.appendingPathComponent("policy").path
                try FileManager.default.createDirectory(
                    atPath: policy, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
                try await Command.mustRun("python3", ["-c", script, file, policy])
                let outcome = try await Command.run(opk, ["audit", "--policy-only", "--skip-user-policy", "--config-dir", policy])
                #expect([0, 1].contains(outcome.status), "\(outcome.both)")
                #expect(try FileManager.default.contentsOfDirectory(atPath: policy).sorted() == ["auth_id", "config.yml", "providers"])
            }
        }
    }
}
