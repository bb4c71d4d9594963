import ChildProcess
import Foundation
import Testing
import Vocabulary

@testable import Login

private enum Programs {
    static let folder: URL? = Bundle.main.executableURL?.deletingLastPathComponent()
    static let areHere = ["opk", "opk-demo-provider"].allSatisfy { name in
        folder.map { FileManager.default.isExecutableFile(atPath: $0.appendingPathComponent(name).path) } ?? false
    }
}

/// A demo provider in a process of its own, which ends with the value.
final class DemoProcess: @unchecked Sendable {
    private let process = Process()
    let issuer: String

    init(_ arguments: [String]) throws {
        process.executableURL = Programs.folder?.appendingPathComponent("opk-demo-provider")
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        var text = ""
        while !text.contains("\n") {
            let chunk = output.fileHandleForReading.availableData
            if chunk.isEmpty { break }
            text += String(decoding: chunk, as: UTF8.self)
        }
        issuer = text.split(separator: "\n").first.map { String($0.dropFirst("issuer: ".count)) } ?? ""
    }

    deinit { process.terminate() }
}

/// The program itself, as a person or a script calls it, and its provider in a process of its own.
@Suite("opk providers", .serialized, .enabled(if: Programs.areHere, "the programs are not built"))
struct ProvidersCommandTests {
    private func test(
        _ provider: [String], client: String = "opk-demo", _ more: [String] = []
    ) async throws -> CommandTests.Run {
        let demo = try await onThread { Result { try DemoProcess(provider) } }.get()
        let folder = try TemporaryFolder()
        let run = try await CommandTests.run(["providers", "test", "--provider", "\(demo.issuer),\(client)"] + more, home: folder.path)
        withExtendedLifetime(demo) {}
        return run
    }

    /// The line of one check, and what to do about it.
    private func line(_ name: String, _ run: CommandTests.Run) -> String {
        let lines = run.output.split(separator: "\n").map(String.init)
        guard let index = lines.firstIndex(where: { $0.split(separator: " ").dropFirst().first.map(String.init) == name }) else {
            return ""
        }
        let next = index + 1 < lines.count && lines[index + 1].contains("-> ") ? "\n" + lines[index + 1] : ""
        return lines[index] + next
    }

    @Test("a provider that can be used: every check is ok, the row for the server, exit status 0")
    func good() async throws {
        let run = try await test([])
        #expect(run.status == 0, "\(run)")
        let results = Set(run.output.split(separator: "\n").prefix { !$0.hasPrefix("For") }.compactMap { $0.split(separator: " ").first })
        #expect(results == ["ok"], "\(run.output)")
        for name in [
            "discovery", "endpoints", "keys", "algorithms", "pkce", "answer", "client-auth", "scopes", "claims", "device",
            "refresh", "logout", "redirect",
        ] {
            #expect(line(name, run).hasPrefix("ok "), "\(name)")
        }
        #expect(line("keys", run).contains("1 of 1 can be used: RSA 2048 RS256"))
        #expect(run.output.contains(",opk-demo") == false)
        let row = try #require(run.output.split(separator: "\n").last)
        #expect(row.hasPrefix("  http://localhost:") && row.hasSuffix(" opk-demo 24h"))
        #expect(run.output.contains(" opk-demo oidc-refreshed\n") && run.output.contains("`opk login --refresh` keeps it alive"))
        let without = try await test(["--control", #"{"override": {"discovery": {"grant_types_supported": ["authorization_code"]}}}"#])
        #expect(without.status == 0 && without.output.hasSuffix(" opk-demo 24h\n") && !without.output.contains("refreshed"), "\(without)")
    }

    @Test(
        "what is wrong with a provider is a line of its own, with what to do, and exit status 1",
        arguments: [
            (["--fault", "discovery=issuer:https://other.example/"], "discovery", "https://other.example/"),
            (["--fault", "discovery=html"], "discovery", "not JSON"), (["--fault", "discovery=status:404"], "discovery", "404"),
            (["--fault", "discovery=slow:9"], "discovery", "no complete answer in time"),
            (["--fault", "jwks=html"], "keys", "not JSON"), (["--fault", "jwks=status:500"], "keys", "status 500"),
            (["--control", #"{"override": {"jwks": {"keys": []}}}"#], "keys", "none of its 0 keys"),
            (["--control", #"{"override": {"jwk": {"alg": "RS512"}}}"#], "keys", "none of its 1 keys"),
            (["--control", #"{"override": {"discovery": {"code_challenge_methods_supported": ["plain"]}}}"#], "pkce", "not with S256"),
            (["--control", #"{"override": {"discovery": {"response_modes_supported": ["form_post"]}}}"#], "answer", "form_post"),
            (["--control", #"{"override": {"discovery": {"response_types_supported": ["id_token"]}}}"#], "answer", "id_token"),
            (["--control", #"{"override": {"discovery": {"id_token_signing_alg_values_supported": ["HS256"]}}}"#], "algorithms", "HS256"),
            (["--control", #"{"override": {"discovery": {"authorization_endpoint": null}}}"#], "endpoints", "no authorization_endpoint"),
            (["--control", #"{"override": {"discovery": {"token_endpoint": "http://evil.example/"}}}"#], "discovery", "token_endpoint"),
        ])
    func faults(provider: [String], check: String, words: String) async throws {
        let run = try await test(provider, ["--timeout", "2s"])
        #expect(run.status == 1, "\(run)")
        #expect(line(check, run).hasPrefix("fail") && line(check, run).contains(words), "\(run.output)")
        #expect(line(check, run).contains("-> "))
    }

    @Test("a client id that the provider does not know is told from a redirect URI that it does not know")
    func registration() async throws {
        let client = try await test([], client: "nobody")
        #expect(client.status == 1)
        #expect(
            line("redirect", client).hasPrefix("fail")
                && line("redirect", client).contains("answers nobody as a client id that is made up"),
            "\(client.output)")
        // The demo provider takes any address of this machine; one that refuses everything says nothing about which of the two it is.
        let refused = try await test(["--fault", "authorize=status:400"])
        #expect(refused.status == 1 && line("redirect", refused).contains("as a client id that is made up"), "\(refused.output)")
        let untold = try await test(["--fault", "authorize=html"])
        #expect(
            untold.status == 0 && line("redirect", untold).hasPrefix("warn") && line("redirect", untold).contains("cannot be told"),
            "\(untold.output)")
        #expect(line("redirect", untold).contains("http://localhost:3000/login-callback"))
    }

    @Test(
        "what works and should be known is a warning, and exit status 0",
        arguments: [
            (#"{"override": {"discovery": {"code_challenge_methods_supported": null}}}"#, "pkce", "does not say"),
            (
                #"{"override": {"discovery": {"token_endpoint_auth_methods_supported": ["client_secret_basic"]}}}"#, "client-auth",
                "client_secret"
            ),
            (#"{"override": {"discovery": {"scopes_supported": ["openid"]}}}"#, "scopes", "email"),
            (#"{"override": {"discovery": {"claims_supported": ["sub"]}}}"#, "claims", "email, email_verified, groups"),
            (#"{"override": {"callback": {"error": "temporarily_unavailable"}}}"#, "client", "temporarily_unavailable"),
        ])
    func warnings(control: String, check: String, words: String) async throws {
        let run = try await test(["--control", control])
        #expect(run.status == 0, "\(run)")
        #expect(line(check, run).hasPrefix("warn") && line(check, run).contains(words), "\(run.output)")
    }

    @Test("--json is one object with every check, and no secret")
    func json() async throws {
        let run = try await test(["--client", "x:s3cret"], client: "x,s3cret", ["--json"])
        #expect(run.status == 0, "\(run)")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        #expect(object["usable"] as? Bool == true && run.errors.isEmpty)
        let verbose = try await test([], ["--verbose"])
        #expect(verbose.status == 0 && verbose.errors.contains("/.well-known/openid-configuration: 200, "), "\(verbose)")
        #expect((object["providers_row"] as? String)?.hasSuffix(" x 24h") == true)
        #expect((object["providers_row_refreshed"] as? String)?.hasSuffix(" x oidc-refreshed") == true)
        let checks = try #require(object["checks"] as? [[String: Any]])
        #expect(checks.count >= 13 && checks.allSatisfy { $0["result"] as? String == "ok" && $0["text"] is String })
        #expect(!(run.output + run.errors).contains("s3cret"))
    }

    @Test("list shows aliases, issuers, client ids, where they are from and the default, and never a secret")
    func list() async throws {
        let folder = try TemporaryFolder()
        let builtIn = try await CommandTests.run(["providers"], home: folder.path)
        #expect(builtIn.status == 0 && builtIn.output.contains("azure microsoft") && !builtIn.output.contains("GOCSPX"), "\(builtIn)")
        #expect(builtIn.output.split(separator: "\n").filter { $0.hasSuffix("built in") }.count == 4)
        try folder.write(
            Array(
                "default_provider: w\nproviders:\n  - {alias: work w, issuer: https://a.example, client_id: x, client_secret: s3cret}\n"
                    .utf8),
            to: ".opk/config.yml", mode: 0o644)
        let run = try await CommandTests.run(["providers", "list"], home: folder.path)
        #expect(run.output.contains("work w *  https://a.example  x          \(folder.path)/.opk/config.yml:3"), "\(run.output)")
        #expect(run.errors.contains("chmod 600 \(folder.path)/.opk/config.yml"))
        let json = try await CommandTests.run(["providers", "list", "--json"], home: folder.path)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect(((object["providers"] as? [[String: Any]])?.first?["has_client_secret"]) as? Bool == true)
        #expect(!(run.output + run.errors + json.output + json.errors).contains("s3cret"))
    }

    @Test("list --json has every key of the configuration but the secret")
    func listDocument() async throws {
        let folder = try TemporaryFolder()
        let entry = """
            refresh_token: file
            providers:
              - alias: work
                issuer: https://a.example
                client_id: x
                client_secret: s3cret
                prompt: login
                access_type: ""
                remote_redirect_uri: https://a.example/back
                send_access_token: true
                key_type: ed25519
                valid_for: 90m
                store: both
                hosts: ["*.a.example"]

            """
        try folder.write(Array(entry.utf8), to: ".opk/config.yml", mode: 0o600)
        let run = try await CommandTests.run(["providers", "list", "--json"], home: folder.path)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        let one = try #require((object["providers"] as? [[String: Any]])?.first)
        #expect(one["prompt"] as? String == "login" && one["access_type"] is NSNull && one["send_access_token"] as? Bool == true)
        #expect(one["remote_redirect_uri"] as? String == "https://a.example/back" && one["valid_for"] as? String == "90m")
        #expect(one["key_type"] as? String == "ed25519" && one["store"] as? String == "both" && one["refresh_token"] as? String == "file")
        #expect(one["hosts"] as? [String] == ["*.a.example"] && !run.output.contains("s3cret"), "\(run)")
    }

    @Test("list is no wider than the terminal: a table where it fits, else a block for each provider")
    func width() throws {
        let folder = try TemporaryFolder()
        let list = ProviderList(try ClientConfig.read(environment: ProcessEnvironment(entries: [Array("HOME=\(folder.path)".utf8)])))
        #expect(list.lines(columns: 400) == list.lines() && list.lines().first?.hasPrefix("ALIAS") == true)
        let narrow = list.lines(columns: 100)
        #expect(narrow.allSatisfy { $0.count <= 100 } && narrow.first == "google" && narrow.contains("  from       built in"), "\(narrow)")
    }

    @Test("add takes the secret from standard input, and what it wrote is there for list, test and login")
    func add() async throws {
        let demo = try await onThread { Result { try DemoProcess(["--client", "lab:s3cret"]) } }.get()
        let folder = try TemporaryFolder()
        let add = try await CommandTests.run(
            ["providers", "add", "lab", demo.issuer, "lab", "--client-secret-file", "-", "--hosts", "*.lab", "--default"],
            home: folder.path,
            input: "s3cret\n")
        #expect(add.status == 0 && add.output.contains("so they were copied into it"), "\(add)")
        #expect(try folder.mode(".opk/config.yml") == 0o600)
        #expect(try folder.mode(".opk") == 0o700)
        let test = try await CommandTests.run(["providers", "test"], home: folder.path)
        #expect(test.status == 0 && test.output.hasSuffix("\(demo.issuer) lab 24h\n"), "\(test)")
        let again = try await CommandTests.run(["providers", "add", "lab", demo.issuer, "lab"], home: folder.path)
        #expect(again.status == 1 && again.errors.contains("already"))
        let wrong = try await CommandTests.run(["providers", "add", "new", "http://a.example", "x"], home: folder.path)
        #expect(wrong.status == 64 && wrong.errors.contains("not localhost"))
        let trial = try await CommandTests.run(["providers", "add", "new", "https://a.example", "x", "--dry-run"], home: folder.path)
        #expect(trial.status == 0 && trial.output.contains("Would write the provider"))
        let login = try await CommandTests.run(["login", "lba"], home: folder.path)
        #expect(login.status == 64 && login.errors.contains("did you mean lab?"), "\(login)")
        let removed = try await CommandTests.run(["providers", "remove", "hello"], home: folder.path)
        #expect(removed.status == 0, "\(removed)")
        #expect(![add, test, again, login, removed].contains { ($0.output + $0.errors).contains("s3cret") })
        withExtendedLifetime(demo) {}
    }

    @Test("--create-config writes a file once, says where, and never over another; a slip in it is an error with its line")
    func createConfig() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/.opk/config.yml"
        let first = try await CommandTests.run(["login", "--create-config"], home: folder.path)
        #expect(first.status == 0 && first.output.contains(path), "\(first)")
        #expect(try folder.mode(".opk/config.yml") == 0o600)
        #expect(String(decoding: try folder.read(".opk/config.yml"), as: UTF8.self) == ClientConfigDefault.text)
        try folder.write(Array("providres: x\n".utf8), to: ".opk/config.yml")
        let second = try await CommandTests.run(["login", "--create-config"], home: folder.path)
        #expect(second.status == 0 && second.output.contains("there already"))
        #expect(String(decoding: try folder.read(".opk/config.yml"), as: UTF8.self) == "providres: x\n")
        let login = try await CommandTests.run(["login", "google"], home: folder.path)
        #expect(
            login.status == 1 && login.errors.contains("\(path), line 1: providres") && login.errors.contains("did you mean providers?"),
            "\(login)")
        let named = try await CommandTests.run(["login", "google", "--config-path", folder.path + "/none"], home: folder.path)
        #expect(named.status == 1 && named.errors.contains("\(folder.path)/none cannot be read"), "\(named)")
    }
}
