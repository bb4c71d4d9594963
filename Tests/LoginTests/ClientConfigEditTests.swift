import ChildProcess
import Foundation
import Testing
import Vocabulary

@testable import Login

@Suite("ClientConfigEdit: one more provider, and everything else as it was")
struct ClientConfigEditTests {
    private let folder: TemporaryFolder
    private var path: String { folder.path + "/.opk/config.yml" }

    init() throws { folder = try TemporaryFolder() }

    private func edit() throws -> ClientConfigEdit { try ClientConfigEdit(environment: environment(["HOME": folder.path])) }
    private func write(_ text: String) throws { try folder.write(Array(text.utf8), to: ".opk/config.yml", mode: 0o644) }
    private func text() throws -> String { String(decoding: try folder.read(".opk/config.yml"), as: UTF8.self) }
    private var entry: ClientConfigEntry { ClientConfigEntry(alias: "work", issuer: "https://idp.example.com", clientID: "opk") }
    private static let lines = ["- alias: work", "  issuer: https://idp.example.com", "  client_id: opk"]

    static let files: [(before: String, after: String)] = [
        // Comments and odd spacing stay; what stands between the list and the next key stays with that key.
        (
            "# mine\nproviders:\n  -   alias: a   # the first\n      issuer: https://a.example\n      client_id: 'x'\n  # not this one\n\n# about the default\ndefault_provider: a # yes\n",
            "# mine\nproviders:\n  -   alias: a   # the first\n      issuer: https://a.example\n      client_id: 'x'\n\(block("  "))  # not this one\n\n# about the default\ndefault_provider: a # yes\n"
        ),
        // No indent, no line break at the end.
        (
            "providers:\n- issuer: https://a.example\n  client_id: x",
            "providers:\n- issuer: https://a.example\n  client_id: x\n\(block(""))"
        ),
        // An empty line between the elements.
        (
            "providers:\n  - {alias: a, issuer: https://a.example, client_id: x}\n\n  - {alias: b, issuer: https://b.example, client_id: x}\n# end\n",
            "providers:\n  - {alias: a, issuer: https://a.example, client_id: x}\n\n  - {alias: b, issuer: https://b.example, client_id: x}\n\n\(block("  "))# end\n"
        ),
        // Lines as Windows ends them, and the - on a line of its own.
        (
            "providers:\r\n  -\r\n    alias: a\r\n    issuer: https://a.example\r\n    client_id: x\r\n",
            "providers:\r\n  -\r\n    alias: a\r\n    issuer: https://a.example\r\n    client_id: x\r\n"
                + block("  ").replacingOccurrences(of: "\n", with: "\r\n")
        ),
    ]

    private static func block(_ margin: String) -> String { lines.map { margin + $0 + "\n" }.joined() }

    @Test("a provider is added behind the last one, and not a byte of the rest changes", arguments: files)
    func add(before: String, after: String) throws {
        try write(before)
        let outcome = try edit().add(entry, isDefault: false)
        #expect(try text() == after)
        #expect(try folder.mode(".opk/config.yml") == 0o600)
        #expect(!outcome.wroteBuiltIn && outcome.listed.provider.aliases == ["work"])
        #expect(folder.names == [".opk", ".opk/config.yml"])
    }

    @Test("a file without a list, or none at all, gets the built-in providers too: a list would take their place")
    func builtIn() throws {
        #expect(try edit().add(entry, isDefault: true).wroteBuiltIn)
        let config = try ClientConfig.read(environment: environment(["HOME": folder.path]))
        #expect(config.aliases == ["google", "azure", "microsoft", "gitlab", "hello", "work"] && config.defaultProvider?.alias == "work")
        #expect(try text().contains("# Whom `opk login` logs in with"))
        for before in ["store: both\n# the end", "", "# only this\n", "providers:\nstore: both\n"] {
            try write(before)
            #expect(try edit().add(entry, isDefault: false).wroteBuiltIn)
            #expect(try ClientConfig.read(environment: environment(["HOME": folder.path])).listed.count == 5)
            for line in before.split(separator: "\n") { #expect(try text().split(separator: "\n").contains(line)) }
        }
    }

    @Test("every option comes back as it was meant, whatever its characters mean in YAML, and a secret only in the file")
    func values() throws {
        var full = ClientConfigEntry(alias: "work w", issuer: "https://idp.example.com/realms/a:b", clientID: "123")
        try full.set("client_secret", secret: Secret(Array("'\"#: yes\\".utf8).filter { $0 != 0x20 }))
        full.set("scopes", "openid groups")
        full.set("prompt", "")
        full.set("redirect_uris", list: ["http://127.0.0.1:0/cb"])
        full.set("send_access_token", flag: true)
        full.set("key_type", "ed25519")
        full.set("valid_for", "8h")
        full.set("store", "agent")
        full.set("hosts", list: ["*", "!a.b"])
        full.set("refresh_token", "keyring")
        let provider = try edit().add(full, isDefault: false).listed.provider
        #expect(provider.aliases == ["work", "w"] && provider.clientID == "123" && provider.prompt == nil && provider.sendsAccessToken)
        #expect(provider.clientSecret == Secret(Array("'\"#:yes\\".utf8)) && provider.hosts == ["*", "!a.b"] && provider.store == .agent)
        #expect(try ClientConfig.read(environment: environment(["HOME": folder.path])).listed.last?.provider == provider)
    }

    @Test("an alias that is taken, and what is no provider, change nothing")
    func refused() throws {
        try write("providers:\n  - {alias: work w, issuer: https://a.example, client_id: x}\n")
        let before = try text()
        for entry in [
            entry, ClientConfigEntry(alias: "new w", issuer: "https://a.example", clientID: "x"),
            ClientConfigEntry(alias: "", issuer: "https://a.example", clientID: "x"),
            ClientConfigEntry(alias: "new", issuer: "http://a.example", clientID: "x"),
            ClientConfigEntry(alias: "new", issuer: "https://a.example", clientID: ""),
            ClientConfigEntry(alias: "webchooser", issuer: "https://a.example", clientID: "x"),
            ClientConfigEntry(alias: "n\n", issuer: "https://a.example\nx: y", clientID: "x"),
        ] {
            #expect(throws: LoginError.self) { _ = try edit().add(entry, isDefault: false) }
        }
        #expect(try text() == before)
        #expect(try folder.mode(".opk/config.yml") == 0o644)
    }

    @Test("a list that is written in one line is left to the person, who is shown the lines, without the secret")
    func flow() throws {
        try write("providers: ~ # none\n")
        #expect(throws: LoginError.self) { _ = try edit().add(entry, isDefault: false) }
        try write("providers: [{alias: a, issuer: https://a.example, client_id: x}]\n")
        var secret = entry
        try secret.set("client_secret", secret: Secret(Array("s3cret".utf8)))
        do {
            _ = try edit().add(secret, isDefault: false)
            Issue.record("accepted")
        } catch let error as LoginError {
            #expect(error.rows.contains("  - alias: work") && !error.rows.contains { $0.contains("s3cret") })
        }
        #expect(try text() == "providers: [{alias: a, issuer: https://a.example, client_id: x}]\n")
    }

    @Test("a file that was changed in the meantime is not written over")
    func race() throws {
        try write("providers:\n  - {alias: a, issuer: https://a.example, client_id: x}\n")
        let edit = try edit()
        try write("providers:\n  - {alias: b, issuer: https://a.example, client_id: x}\n")
        #expect(throws: LoginError.self) { _ = try edit.add(entry, isDefault: false) }
        #expect(try text().contains("alias: b"))
    }

    @Test("the default is set in its line, with the comment behind it, or before the list")
    func defaults() throws {
        let list = "providers:\n  - {alias: a, issuer: https://a.example, client_id: x}\n"
        for (before, line) in [
            ("default_provider: webchooser   # for now\n" + list, "default_provider: work  # for now"),
            (list + "default_provider: a", "default_provider: work"),
            ("# first\n" + list, "default_provider: work"), ("default_provider: 'a'\r\n" + list, "default_provider: work"),
            ("default_provider:\n" + list, "default_provider: work"),
        ] {
            try write(before)
            _ = try edit().add(entry, isDefault: true)
            #expect(try text().split(whereSeparator: \.isNewline).contains { $0 == line })
            #expect(try parsed(try text()).providers?.count == 2)
        }
    }

    @Test("what was added is taken away again, and the file is what it was", arguments: files)
    func remove(before: String, after: String) throws {
        try write(after)
        let outcome = try edit().remove("work")
        #expect(outcome.listed.provider.aliases == ["work"])
        // An empty line before the last one may stay.
        #expect(
            try text().replacingOccurrences(of: "\n\n", with: "\n").trimmingCharacters(in: .newlines)
                == before.replacingOccurrences(of: "\n\n", with: "\n").trimmingCharacters(in: .newlines))
    }

    @Test(
        "the first of two goes, by any of its aliases, and the comments about the second stay; the only one, the default one and a built-in one do not go"
    )
    func removeFirst() throws {
        #expect(throws: LoginError.self) { _ = try edit().remove("google") }
        try write(
            "default_provider: b\nproviders:\n  - alias: a x\n    issuer: https://a.example\n    client_id: x\n\n  # about b\n  - alias: b\n    issuer: https://b.example\n    client_id: x\n"
        )
        #expect(throws: LoginError.self) { _ = try edit().remove("b") }
        #expect(throws: LoginError.self) { _ = try edit().remove("c") }
        _ = try edit().remove("x")
        #expect(
            try text() == "default_provider: b\nproviders:\n  # about b\n  - alias: b\n    issuer: https://b.example\n    client_id: x\n")
        #expect(throws: LoginError.self) { _ = try edit().remove("b") }
    }
}
