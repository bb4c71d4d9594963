import ChildProcess
import Foundation
import TestSupport
import Testing
import Vocabulary

/// The program itself, where what surrounds it matters.
@Suite("Adversaries: what surrounds opk login", .serialized)
struct LoginProgramTests {
    static let program = BuiltPrograms.path("opk")
    static let curl = "/usr/bin/curl"
    static let isThere = [program, curl].allSatisfy(FileManager.default.isExecutableFile)

    private static func run(_ arguments: [String], home: URL, _ more: [String: String]) async throws -> ChildProcess.Outcome {
        let browser = home.appendingPathComponent("browser")
        try Data("#!/bin/sh\nexec \(curl) -q --noproxy '*' -sSL -o /dev/null \"$1\"\n".utf8).write(to: browser)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: browser.path)
        var environment = ProcessEnvironment.empty
        for (name, value) in ["HOME": home.path, "PATH": "/usr/bin:/bin", "BROWSER": browser.path].merging(more, uniquingKeysWith: { $1 }) {
            environment[name] = value
        }
        let whole = environment
        return try await onThread {
            Result {
                try ChildProcess.run(program, arguments, environment: whole, errorOutput: .captured(limit: 1 << 16), deadline: 90_000)
            }
        }.get()
    }

    @Test(
        "C06: opk login uses neither .netrc, nor .curlrc, nor a proxy to this machine, nor cookies",
        .enabled(if: isThere, "no opk, or no curl"))
    func surroundings() async throws {
        let provider = try ScriptedProvider { $0.headers = ["Set-Cookie: track=me; Path=/"] }
        let home = FileManager.default.temporaryDirectory.appendingPathComponent("opk-home-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: home) }
        for name in [".netrc", "_netrc"] {
            try Data("machine 127.0.0.1 login me password hunter2\ndefault login me password hunter2\n".utf8)
                .write(to: home.appendingPathComponent(name))
        }
        try Data("user = me:hunter2\ncookie = a=b\ninsecure\nlocation-trusted\n".utf8).write(to: home.appendingPathComponent(".curlrc"))
        let proxy = try ScriptedServer { $1.answer(502, "{}") }
        let outcome = try await Self.run(
            ["login", "--provider", provider.issuer.string + ",opk-demo", "--redirect-uri", "http://localhost:0/cb", "--timeout", "60s"],
            home: home,
            ["http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"].reduce(into: ["CURL_HOME": home.path]) {
                $0[$1] = proxy.url
            })
        #expect(outcome.succeeded, "\(String(decoding: outcome.errorOutput, as: UTF8.self))")
        let ours = provider.server.requests.filter { !$0.target.hasPrefix("/authorize") }
        #expect(ours.count == 3 && proxy.requests.isEmpty)
        for request in ours {
            for header in ["Authorization", "Cookie", "Proxy-Authorization"] { #expect(request.header(header) == nil, "\(request.target)") }
        }
    }

    @Test("C07: opk login knows no option that would take a certificate that does not hold", .enabled(if: isThere, "no opk, or no curl"))
    func noInsecure() async throws {
        let home = FileManager.default.temporaryDirectory
        for option in ["--insecure", "-k", "--no-verify", "--skip-tls-verify", "--allow-http"] {
            let outcome = try await Self.run(["login", "--provider", "https://127.0.0.1:1,x", option], home: home, [:])
            #expect(outcome.ending == .exited(64), "\(option)")
        }
    }
}
