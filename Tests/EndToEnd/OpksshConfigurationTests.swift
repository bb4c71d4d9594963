import Foundation
import Testing

extension RealSSH {
    /// `~/.opk/config.yml` as Debian's opkssh writes it, at a real provider and a real sshd. The public providers cannot be reached from a test: two
    /// words of the file, GitLab's issuer and client, are glewlwyd's instead; every other byte is opkssh's.
    @Suite(
        "Logging in with the configuration that opkssh wrote", .enabled(if: Machine.hasOpkssh, Machine.noOpkssh),
        .enabled(if: Machine.hasGlewlwyd, Machine.noGlewlwyd))
    struct OpksshConfigurationTests {
        private func withTheirFile(_ body: (Laptop, Glewlwyd, Server) async throws -> Void) async throws {
            try await withGlewlwyd { laptop, provider, server in
                try await Command.mustRun(
                    Machine.opkssh.path, ["login", "--create-config"], environment: Command.environment(home: laptop.home.path))
                let file = laptop.home.appendingPathComponent(".opk/config.yml")
                let theirs = try String(contentsOf: file, encoding: .utf8)
                let client = try #require(
                    theirs.components(separatedBy: "https://gitlab.com").last?.firstMatch(of: /client_id: ([0-9a-f]{64})/)?.1)
                let changed = theirs.replacingOccurrences(of: "https://gitlab.com", with: provider.issuer)
                    .replacingOccurrences(of: client, with: Glewlwyd.client)
                try changed.write(to: file, atomically: false, encoding: .utf8)
                try await server.configure(
                    providers: ["\(provider.issuer) \(Glewlwyd.client) 24h"],
                    authID: ["\(server.alice) alice@example.com \(provider.issuer)"])
                try await body(laptop, provider, server)
                #expect(try String(contentsOf: file, encoding: .utf8) == changed)
            }
        }

        @Test("opk login gitlab: by its alias, with its redirects, scopes, access_type and prompt")
        func byAlias() async throws {
            try await withTheirFile { laptop, provider, server in
                let login = try BrowserLogin(laptop, ["gitlab", "-i", laptop.path("key")], opens: false)
                do {
                    let address = try await login.printedAddress()
                    for part in ["prompt=consent", "access_type=offline", "scope=openid%20email&"] {
                        #expect((address + "&").replacingOccurrences(of: "+", with: "%20").contains(part), "\(address)")
                    }
                    try await provider.logInAsAlice(address)
                    #expect(try await login.end() == 0, "\(login.text)")
                } catch {
                    await login.stop()
                    throw error
                }
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [laptop.path("key")]) == server.alice)
            }
        }

        @Test(
            "opk login: the page of its four providers, glewlwyd's own pages and the last page, in one tab of Chromium",
            .enabled(if: Machine.hasChromium, Machine.noChromium))
        func chooser() async throws {
            try await withTheirFile { laptop, provider, server in
                let login = try BrowserLogin(laptop, ["-i", laptop.path("key")], opens: true)
                do {
                    let seen = try await Chromium(laptop: laptop).drive(
                        [
                            .go(try await login.openedAddress()), .heading("Where do you log in?"), .look("chooser-opkssh"),
                            .keyboard("gitlab"),
                        ] + Glewlwyd.formSteps + [.heading("You are logged in"), .history])
                    #expect(try await login.end() == 0, "\(login.text)")
                    let text = seen[2].variants?.first?.text ?? ""
                    #expect(["google", "azure", "gitlab", "hello"].allSatisfy(text.contains), "\(text)")
                    #expect(seen.last?.entries?.allSatisfy { !$0.contains("code=") && !$0.contains("/start/") } == true)
                } catch {
                    await login.stop()
                    throw error
                }
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [laptop.path("key")]) == server.alice)
            }
        }
    }
}
