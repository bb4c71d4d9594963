import Foundation
import Testing

/// Logins as a person does them: in a real browser, from the choice of the provider to the last page.
@Suite("In Chromium: logins", .serialized, .enabled(if: Machine.hasChromium, Machine.noChromium))
struct ChromiumLoginTests {
    /// A laptop whose configuration, in opkssh's form, names two providers; the second is the demo provider.
    func withTwoProviders(_ body: (Laptop, DemoProviderProcess, BrowserLogin) async throws -> Void) async throws {
        let laptop = try Laptop()
        defer { laptop.clean() }
        let provider = try await DemoProviderProcess.start(laptop, ["--key-type", "ES256"])
        do {
            let folder = laptop.home.appendingPathComponent(".opk")
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            let file = folder.appendingPathComponent("config.yml")
            try """
            default_provider: webchooser
            providers:
              - alias: elsewhere
                issuer: https://idp.example.com
                client_id: opk
              - alias: demo
                issuer: \(provider.issuer)
                client_id: opk-demo
                redirect_uris:
                  - http://localhost:0/login-callback

            """.write(to: file, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
            let login = try BrowserLogin(laptop, ["-i", laptop.path("key")], opens: true)
            do {
                try await body(laptop, provider, login)
            } catch {
                await login.stop()
                throw error
            }
            await login.stop()
        } catch {
            await provider.stop()
            throw error
        }
        await provider.stop()
    }

    @Test("the chooser: reached and answered with the keyboard alone, and the login goes on in the same tab to its end")
    func chooser() async throws {
        try await withTwoProviders { laptop, provider, login in
            let seen = try await Chromium(laptop: laptop).drive([
                .forget, .go(try await login.openedAddress()), .heading("Where do you log in?"), .look("chooser"), .keyboard("demo"),
                .heading("Log in"), .press("alice"), .heading("You are logged in"), .history,
            ])
            #expect(try await login.end() == 0, "\(login.text)")
            let page = try expectGoodPage(seen[3], choices: ["elsewhere\nidp.example.com", "demo\nlocalhost"])
            #expect(page.text.contains("idp.example.com"))
            let links = try #require(seen[3].tree).filter { $0.role == "link" }.map(\.name)
            #expect(links.first == "elsewhere idp.example.com" && links.last?.hasPrefix("demo localhost:") == true)
            #expect(try laptop.certificate(laptop.path("key")).count >= 2)
            #expect(try #require(seen[8].entries).allSatisfy { !$0.contains("code=") && !$0.contains("/start/") })
        }
    }
}

extension ChromiumLoginTests {
    @Test("opk login --device: the code that the terminal shows is approved on the provider's page in Chromium")
    func device() async throws {
        let laptop = try Laptop()
        defer { laptop.clean() }
        // Most providers leave the nonce out of a device login's token, and with it what ties the token to the key.
        let provider = try await DemoProviderProcess.start(laptop, ["--key-type", "ES256", "--control", #"{"device_nonce": true}"#])
        do {
            let login = try BrowserLogin(
                laptop, ["--provider", provider.clientSpecification, "--device", "--no-qr", "-i", laptop.path("key")], opens: true)
            let page = try await login.printedAddress()
            let code = try await login.userCode()
            try await Chromium(laptop: laptop).approveDevice(page, code: code)
            #expect(try await login.end() == 0, "\(login.text)")
            #expect(try laptop.certificate(laptop.path("key")).count >= 2)
        } catch {
            await provider.stop()
            throw error
        }
        await provider.stop()
    }
}

extension RealSSH {
    @Suite("Through glewlwyd's own pages, in Chromium", .enabled(if: Machine.hasGlewlwyd && Machine.hasChromium))
    struct ChromiumGlewlwydTests {
        @Test("a person logs in at glewlwyd's form, continues, sees the last page, and ssh lets him in")
        func logIn() async throws {
            try await withGlewlwyd { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) \(Glewlwyd.client) 24h"],
                    authID: ["\(server.alice) alice@example.com \(provider.issuer)"])
                let login = try BrowserLogin(
                    laptop, ["--provider", "\(provider.issuer),\(Glewlwyd.client)", "--scopes", Glewlwyd.scopes, "-i", laptop.path("key")],
                    opens: true)
                do {
                    let seen = try await Chromium(laptop: laptop).drive(
                        [.go(try await login.openedAddress())] + Glewlwyd.formSteps + [
                            .heading("You are logged in"), .look("done-glewlwyd"), .history,
                        ])
                    #expect(try await login.end() == 0, "\(login.text)")
                    #expect(seen[seen.count - 2].variants?.first?.text.contains("alice@example.com") == true)
                    #expect(seen.last?.entries?.allSatisfy { !$0.contains("code=") } == true)
                } catch {
                    await login.stop()
                    throw error
                }
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [laptop.path("key")]) == server.alice)
            }
        }
    }
}
