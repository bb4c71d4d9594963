import Foundation
import MintingKit
import TestSupport
import Vocabulary

/// What can be wrong with a provider, and the word that an administrator needs to hear about it.
struct ProviderFault: Sendable, CustomStringConvertible {
    let description: String
    /// What the log line says.
    let words: [String]
    let script: @Sendable (_ doorway: Doorway, _ keys: [UInt8]) -> ScriptedServer.Script

    private typealias Answer = @Sendable (_ connection: ScriptedServer.Connection, _ keys: [UInt8]) -> Void

    private init(_ description: String, _ words: [String], script: @escaping @Sendable (Doorway, [UInt8]) -> ScriptedServer.Script) {
        self.description = description
        self.words = words
        self.script = script
    }

    /// The fault is in every answer, the first one included.
    private static func always(_ description: String, _ words: String..., answer: @escaping @Sendable (ScriptedServer.Connection) -> Void)
        -> ProviderFault
    {
        ProviderFault(description, words) { _, _ in { _, connection in answer(connection) } }
    }

    /// The fault is in what the discovery document says.
    private static func document(_ description: String, _ words: String..., says: @escaping @Sendable (Doorway) -> String) -> ProviderFault
    {
        ProviderFault(description, words) { doorway, _ in
            let text = says(doorway)
            return { _, connection in connection.answer(text) }
        }
    }

    /// The discovery document is good; the fault is in what comes at /jwks.
    private static func atKeys(_ description: String, _ words: String..., answer: @escaping Answer) -> ProviderFault {
        ProviderFault(description, words) { doorway, keys in
            let document = doorway.discovery()
            return { request, connection in
                if request.target == "/jwks" { answer(connection, keys) } else { connection.answer(document) }
            }
        }
    }

    private static let trouble = "the provider has a fault of its own"
    private static let someoneElse = "does a proxy or another server answer in the provider's place?"
    private static let slow = "timeout in providers"
    private static let json = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

    static let all: [ProviderFault] = [
        always("500", "status 500", trouble) { $0.answer(500, "{}") },
        always("503 with HTML", "status 503", trouble) { $0.answer(503, type: "text/html", "<html>maintenance</html>") },
        always("404", "status 404", "spelt right") { $0.answer(404, "{}") },
        always("429", "status 429", "less often") { $0.answer(429, "{}") },
        always("204", "status 204", someoneElse) { $0.send("HTTP/1.1 204 No Content\r\n\r\n") },
        always("HTML", "not JSON", someoneElse) { $0.answer(type: "text/html", "<html>please log in</html>") },
        always("HTML that calls itself JSON", "not acceptable", someoneElse) { $0.answer("<html>please log in</html>") },
        always("an empty body", "not acceptable", someoneElse) { $0.answer("") },
        always("gzip unasked", "not acceptable", someoneElse) { $0.answer(headers: ["Content-Encoding: gzip"], [0x1F, 0x8B, 8, 0, 0, 0]) },
        always("a redirect without end", "more than 5 redirects", "the issuer in providers") {
            $0.answer(302, headers: ["Location: /again"], "")
        },
        always("a redirect to another host", "redirects", "the issuer in providers") {
            $0.answer(302, headers: ["Location: https://login.example.com/"], "")
        },
        always("no answer at all", "cut off", someoneElse) { _ in },
        always("no HTTP", "not HTTP", someoneElse) { $0.send("SSH-2.0-OpenSSH_9.2\r\n") },
        always("headers cut off", "not JSON", someoneElse) { $0.send("HTTP/1.1 200 OK\r\nContent-Type: applica") },
        always("a hanging provider", "in time", slow) { $0.hang() },
        always("headers without end", "in time", slow) {
            $0.send("HTTP/1.1 200 OK\r\n")
            drip($0, "X-More: 1\r\n")
        },
        document("the document of another issuer", "of another issuer (https://other.example.com)", "compare the issuer") {
            $0.discovery(issuer: "https://other.example.com")
        },
        document("a document without jwks_uri", "jwks_uri is missing") { "{\"issuer\":\"\($0.issuer.string)\"}" },
        document("jwks_uri on a host of the inner network", "jwks_uri is not a URL", "only the provider") {
            $0.discovery(keysAt: "http://10.0.0.1/jwks")
        },
        document("jwks_uri where nothing listens", "no connection", "firewall") { $0.discovery(keysAt: "http://127.0.0.1:1/jwks") },
        atKeys("500 for the keys", "no key set", "status 500", trouble) { connection, _ in connection.answer(500, "{}") },
        atKeys("no key", "no usable key", "only the provider") { connection, _ in connection.answer("{\"keys\":[]}") },
        atKeys("half a key set, then the end", "cut off", someoneElse) { connection, keys in
            connection.send(json + "Content-Length: \(keys.count)\r\n\r\n")
            connection.send(Array(keys.prefix(keys.count / 2)))
        },
        atKeys("half a key set without a length", "not acceptable", someoneElse) { connection, keys in
            connection.send(json + "\r\n")
            connection.send(Array(keys.prefix(keys.count / 2)))
        },
        atKeys("half a key set, then nothing", "in time", slow) { connection, keys in
            connection.send(json + "Content-Length: \(keys.count)\r\n\r\n")
            connection.send(Array(keys.prefix(keys.count / 2)))
            connection.hang()
        },
        atKeys("chunks without end", "in time", slow) { connection, _ in
            connection.send(json + "Transfer-Encoding: chunked\r\n\r\n")
            drip(connection, "1\r\n \r\n")
        },
        atKeys("chunks that break off", "cut off", someoneElse) { connection, keys in
            connection.send(json + "Transfer-Encoding: chunked\r\n\r\n" + String(keys.count, radix: 16) + "\r\n")
            connection.send(Array(keys.prefix(keys.count / 2)))
        },
        atKeys("a byte now and then", "in time", slow) { connection, keys in
            connection.send(json + "Content-Length: \(keys.count)\r\n\r\n")
            for byte in keys where connection.send([byte]) { Thread.sleep(forTimeInterval: 0.1) }
        },
        atKeys("more than a mebibyte", "too large", someoneElse) { connection, _ in
            connection.answer(Array("{\"keys\":[\"".utf8) + [UInt8](repeating: 0x61, count: 2 << 20))
        },
    ]

    private static func drip(_ connection: ScriptedServer.Connection, _ text: String) {
        while connection.send(text) { Thread.sleep(forTimeInterval: 0.05) }
    }
}

extension Doorway {
    func discovery(issuer other: String? = nil, keysAt: String? = nil) -> String {
        "{\"issuer\":\"\(other ?? issuer.string)\",\"jwks_uri\":\"\(keysAt ?? issuer.string + "/jwks")\"}"
    }

    /// The provider's row, with these options.
    func writeRow(_ options: String = "timeout=\"1s\"") throws {
        try write("providers", "\(issuer.string) \(MintedLogin.clientID.string) 24h \(options)\n")
    }
}
