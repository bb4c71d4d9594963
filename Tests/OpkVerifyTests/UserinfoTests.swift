import Foundation
import JOSE
import MintingKit
import Synchronization
import Testing
import Vocabulary

@Suite("opk-verify: userinfo by way of opk-fetch", .serialized)
struct UserinfoTests {
    private static let accessToken = "act-0123456789-abcdefghij"
    private static let admins = "{\"sub\":\"alice-1\",\"groups\":[\"admins\"]}"
    let doorway: Doorway
    let login: MintedLogin

    init() throws {
        doorway = try Doorway()
        login = try doorway.login().with {
            $0.rewriteCertificate = { $0.extensions.insert(.init("openpubkey-act", value: Array(Self.accessToken.utf8)), at: 0) }
        }
        try doorway.keep(login.keys)
        try doorway.write("auth_id", "guest oidc:groups:admins \(doorway.issuer.string)\n")
    }

    @Test("C38 The access token goes to standard input, and neither to the command line nor to the environment")
    func standardInputOnly() throws {
        let program = try doorway.program(
            withFetcher: """
                cat /proc/$$/cmdline >$here/arguments
                cat /proc/$$/environ >$here/environment
                ls /proc/$$/fd >$here/descriptors
                cat >$here/input
                printf 'opk-fetch/1 ok\\n\\n%s' '\(Self.admins)'
                """)
        let run = try doorway.ask(login, program: program)
        #expect(run.admitted, "\(run)")
        #expect(doorway.note("input") == Array("opk-fetch/1 userinfo \(doorway.issuer.string)\n\(Self.accessToken)".utf8))
        let arguments = try #require(doorway.note("arguments")).split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        #expect(arguments.dropFirst(2) == ["--config-dir", doorway.config, "--cache-dir", doorway.cacheFolder, "serve"])
        for note in ["arguments", "environment"] {
            #expect(!String(decoding: try #require(doorway.note(note)), as: UTF8.self).contains(Self.accessToken), "\(note)")
        }
    }

    @Test("C38 While the provider is asked, no process of this machine has the access token on its command line or in its environment")
    func nowhereElse() throws {
        let sightings = Mutex<[String]>([])
        let url = doorway.provider.url
        doorway.serve(login.keys)
        doorway.provider.play { request, connection in
            guard request.target == "/userinfo", request.header("Authorization") == "Bearer \(Self.accessToken)" else {
                return connection.answer(404, "{}")
            }
            sightings.withLock { $0 = Self.processesThatShow(Self.accessToken) }
            connection.answer(Self.admins)
        }
        let run = try doorway.ask(login)
        #expect(run.admitted, "\(run)")
        #expect(sightings.withLock { $0 } == [])
        #expect(doorway.asked == ["/userinfo"], "the keys and the endpoint were in the cache: \(url)")
    }

    private static func processesThatShow(_ secret: String) -> [String] {
        let processes = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).filter { Int($0) != nil }
        return processes.flatMap { process in ["cmdline", "environ"].map { "/proc/\(process)/\($0)" } }.filter { path in
            guard let file = FileHandle(forReadingAtPath: path), let bytes = try? file.readToEnd() else { return false }
            return String(decoding: bytes, as: UTF8.self).contains(secret)
        }
    }

    @Test("It is asked only where the ID token alone does not admit")
    func onlyWhereNeeded() throws {
        doorway.serve(login.keys, userinfo: Self.admins)
        #expect(try doorway.ask(login).admitted)
        #expect(doorway.asked == ["/userinfo"])
        doorway.provider.forget()
        try doorway.write("auth_id", "guest alice-1 \(doorway.issuer.string)\n")
        #expect(try doorway.ask(login).admitted)
        #expect(doorway.asked == [])
    }

    @Test("C28 What is another's, malformed or not to be had is no claims, and the line says that userinfo did not help")
    func useless() throws {
        for (answer, isSaid) in [
            ("{\"sub\":\"bob\",\"groups\":[\"admins\"]}", true), ("{\"groups\":[\"admins\"]}", true), ("nonsense", true), (nil, true),
            ("{\"sub\":\"alice-1\",\"groups\":[\"users\"]}", false),
        ] {
            doorway.serve(login.keys, userinfo: answer)
            let run = try doorway.ask(login)
            #expect(run.refused(1, "step=9 reason=no-row-admits "), "\(run)")
            #expect(!isSaid || run.terminal.contains("userinfo"), "\(run)")
        }
    }
}
