import Foundation
import JOSE
import KeyCache
import MintingKit
import TestSupport
import Testing
import Vocabulary

/// The key cache belongs to a user of its own (here: nobody, as `opkfetch`), and opk-verify runs as another (here: daemon, as `opksshuser`).
@Suite("opk-verify and opk-fetch as different users", .serialized, .enabled(if: Separation.isPossible, "only root can arrange it"))
struct SeparationTests {
    private static let fetch = ["/.well-known/openid-configuration", "/jwks"]
    let place: Separation
    let login: MintedLogin

    init() throws {
        place = try Separation()
        login = try place.doorway.login()
        place.doorway.serve(login.keys)
    }

    private func withAccessToken(_ login: MintedLogin) -> MintedLogin {
        login.with { $0.rewriteCertificate = { $0.extensions.insert(.init("openpubkey-act", value: Array("t0ken".utf8)), at: 0) } }
    }

    @Test(
        "By a rule of sudoers the fetcher's user fetches and keeps the keys; the next login needs neither",
        .enabled(if: Separation.hasSudo, "no sudo"))
    func sudo() throws {
        let run = try place.ask(login, by: .sudo)
        #expect(run.admitted && !run.terminal.contains("keys:"), "\(run)")
        #expect(place.doorway.asked == Self.fetch && place.ownersOfRecords == [Root.nobody])
        #expect(try place.ask(login, by: .nothing).admitted && place.doorway.asked == Self.fetch)
    }

    @Test("By a rule of sudoers keys are renewed behind the answer, too", .enabled(if: Separation.hasSudo, "no sudo"))
    func sudoRefresh() throws {
        #expect(try place.ask(login, by: .sudo).admitted)
        try place.age(by: KeyLimits.standard.refreshAfter)
        #expect(try place.ask(login, by: .sudo).admitted)
        #expect(place.doorway.eventually { place.doorway.asked == Self.fetch + Self.fetch })
        #expect(place.doorway.eventually { place.cache.read(issuer: place.doorway.issuer)?.isFresh(at: .now()) == true })
    }

    @Test("C38 By sudo userinfo is asked with the token on standard input only", .enabled(if: Separation.hasSudo, "no sudo"))
    func sudoUserinfo() throws {
        try place.write("auth_id", "guest oidc:groups:admins \(place.doorway.issuer.string)\n")
        place.doorway.serve(login.keys, userinfo: "{\"sub\":\"alice-1\",\"groups\":[\"admins\"]}")
        let run = try place.ask(withAccessToken(login), by: .sudo)
        #expect(run.admitted, "\(run)")
        #expect(place.doorway.asked == Self.fetch + ["/userinfo"])
    }

    @Test(
        "Neither opk-verify's environment nor its words decide what the fetcher's user does: another command line is not run, and no variable counts",
        .enabled(if: Separation.hasSudo, "no sudo"))
    func sudoAllowsNothingElse() throws {
        // A proxy of the caller's, which could show a provider's keys of its own making.
        var environment = Doorway.environment
        environment["http_proxy"] = "http://127.0.0.1:1"
        environment["https_proxy"] = "http://127.0.0.1:1"
        environment["SSL_CERT_FILE"] = "/tmp/evil.pem"
        #expect(try place.ask(login, by: .sudo, environment: environment).admitted)
        for words in [
            ["keys", place.doorway.issuer.string], ["--cache-dir", place.doorway.cacheFolder, "serve"],
            place.fetchWords + ["serve", "keys"], ["serve", "--config-dir", "/tmp"],
        ] {
            let run = try place.shell(by: .sudo, ["/usr/bin/sudo", "-n", "-u", "#65534", "--", place.fetchProgram] + words)
            #expect(run.status != 0 && run.output.isEmpty, "\(words): \(run)")
        }
    }

    @Test("An issuer that no row of providers names is not asked, whoever wants it")
    func unlisted() throws {
        for issuer in ["http://127.0.0.1:1", place.doorway.issuer.string + "/", "https://evil.example"] {
            let request = "opk-fetch/1 keys \(issuer)\\n"
            let run = try place.shell(
                by: .nothing, ["/bin/sh", "-c", "printf '\(request)' | \"$@\"", "sh", place.fetchProgram] + place.fetchWords + ["serve"])
            #expect(run.status == 1 && run.output.hasPrefix("opk-fetch/1 failed no row of providers names the issuer "), "\(run)")
        }
        #expect(place.doorway.asked == [])
    }

    @Test("Through a socket on which the fetcher's user listens: the same, without sudo and without a child")
    func socket() throws {
        let run = try place.ask(login, by: .socket)
        #expect(run.admitted && !run.terminal.contains("keys:"), "\(run)")
        #expect(place.doorway.asked == Self.fetch && place.ownersOfRecords == [Root.nobody])
        try place.age(by: KeyLimits.standard.refreshAfter)
        #expect(try place.ask(login, by: .socket).admitted)
        #expect(place.doorway.eventually { place.doorway.asked == Self.fetch + Self.fetch })
        try place.write("auth_id", "guest oidc:groups:admins \(place.doorway.issuer.string)\n")
        place.doorway.serve(login.keys, userinfo: "{\"sub\":\"alice-1\",\"groups\":[\"admins\"]}")
        #expect(try place.ask(withAccessToken(login), by: .socket).admitted)
    }

    @Test(
        "V69 A socket that nobody answers at, or that says nonsense, is a refusal within the bound that says so, and fresh keys need it not"
    )
    func brokenSocket() throws {
        try place.write("providers", "\(place.doorway.issuer.string) \(MintedLogin.clientID.string) 24h timeout=\"1s\"\n")
        for (behaviour, words) in [
            ("silent", "did not answer within 2.5 s"), ("nonsense", "nonsense"), ("closing", "broke"), ("dead", "cannot be reached"),
        ] {
            let run = try place.ask(login, by: .brokenSocket(behaviour))
            #expect(run.refused(1, "reason=keys-unavailable ", words), "\(behaviour): \(run)")
        }
        #expect(try place.ask(login, by: .socket).admitted)
        for behaviour in ["silent", "dead"] { #expect(try place.ask(login, by: .brokenSocket(behaviour)).admitted) }
        try place.age(by: KeyLimits.standard.refreshAfter)
        for behaviour in ["silent", "dead"] { #expect(try place.ask(login, by: .brokenSocket(behaviour)).admitted, "\(behaviour)") }
    }

    @Test("C14 What opk-verify's own user writes is believed neither as a cache nor through a socket of its own")
    func planted() throws {
        // The folder is not writable for it, so root helps here: a record of daemon's, which a way in would leave.
        try place.plant(login.keys, owner: Separation.verifier)
        place.doorway.provider.play { _, connection in connection.answer(500, "{}") }
        #expect(try place.ask(login, by: .socket).refused(1, "reason=keys-unavailable "))
        let run = try place.ask(login, by: .foreignSocket)
        #expect(run.refused(1, "reason=keys-unavailable ") && !run.terminal.contains("nonsense"), "\(run)")
        // The same record of the fetcher's user is believed.
        try place.plant(login.keys, owner: Root.nobody)
        #expect(try place.ask(login, by: .nothing).admitted)
    }

    @Test(
        "However opk-fetch is asked, opk-verify is confined before it reads anything; from then on it can only read",
        .enabled(if: Separation.hasSudo && FileManager.default.isExecutableFile(atPath: "/usr/bin/strace"), "no sudo, or no strace"))
    func confined() throws {
        try place.plant(login.keys, owner: Root.nobody)
        // Of the policy and the keys: config.yml, providers, the record, revoked and auth_id, in this order. Their names cannot be seen: strace is daemon's here,
        // as opk-verify is, and another process of its user cannot read its memory.
        for way in [Separation.Way.socket, .nothing] {
            let calls = try place.traced(login, by: way)
            let wall = try #require(calls.firstIndex { $0.contains("landlock_restrict_self(") && $0.hasSuffix("= 0") }, "\(way): \(calls)")
            #expect(calls[..<wall].contains { $0.contains("prctl(PR_SET_NO_NEW_PRIVS, 1") })
            func opened(_ calls: ArraySlice<Substring>) -> Int {
                calls.count { $0.contains("openat(") && $0.contains("O_RDONLY|O_NOCTTY") }
            }
            #expect(opened(calls[..<wall]) == 0 && opened(calls[wall...]) == 5, "\(way): \(calls)")
            #expect(!calls.contains { $0.contains("providers") }, "its memory can be read")
            // Everything is governed that this kernel can govern, and nothing may be written, made, run or connected to but the count of refusals.
            let rights = calls[..<wall].filter { $0.contains("landlock_add_rule(") }
            #expect(
                rights.count > 3 && !rights.contains { $0.contains("EXECUTE") || $0.contains("MAKE_") || $0.contains("REMOVE_") },
                "\(rights)")
            #expect(rights.count { $0.contains("WRITE_FILE") } <= 1 && !rights.contains { $0.contains("NET_PORT") })
        }
    }

    @Test("opk-verify's user cannot write the cache")
    func rights() throws {
        let touch = try place.shell(by: .nothing, ["/usr/bin/touch", place.doorway.cacheFolder + "/planted"])
        #expect(touch.status != 0)
    }
}

/// Who is who for one test: a doorway whose files root owns, whose cache is nobody's, and at which daemon asks.
final class Separation {
    let doorway: Doorway
    var cache: KeyCache { doorway.cache }

    static let verifier: UInt32 = 1
    static let isPossible = Root.isHere && Root.canMount
    static let hasSudo = FileManager.default.isExecutableFile(atPath: "/usr/bin/sudo")

    enum Way {
        case nothing
        case sudo
        case socket
        case brokenSocket(String)
        /// In a folder that daemon may write.
        case foreignSocket
    }

    init() throws {
        doorway = try Doorway()
        for name in ["providers", "auth_id"] { chmod(doorway.config + "/" + name, 0o644) }
        chown(doorway.cacheFolder, Root.nobody, Root.nobody)
        let sudoers = doorway.folder + "/sudoers"
        try FileManager.default.createDirectory(atPath: sudoers, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        let rule = "daemon ALL=(nobody) NOPASSWD: \(([fetchProgram] + fetchWords + ["serve"]).joined(separator: " "))\n"
        _ = FileManager.default.createFile(
            atPath: sudoers + "/opk", contents: Data(rule.utf8), attributes: [.posixPermissions: 0o440])
        try Separation.inetd.write(toFile: doorway.folder + "/inetd.py", atomically: true, encoding: .utf8)
        chmod(doorway.folder + "/inetd.py", 0o644)
    }

    func write(_ name: String, _ text: String) throws { try doorway.write(name, text, mode: 0o644) }

    var fetchProgram: String { BuiltPrograms.path("opk-fetch") }
    var fetchWords: [String] { ["--config-dir", doorway.config, "--cache-dir", doorway.cacheFolder] }

    var ownersOfRecords: Set<UInt32> {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: doorway.cacheFolder)) ?? []
        return Set(
            names.compactMap {
                (try? FileManager.default.attributesOfItem(atPath: doorway.cacheFolder + "/" + $0))?[.ownerAccountID] as? UInt32
            })
    }

    func age(by seconds: Int64) throws {
        try doorway.age(by: seconds)
        give(to: Root.nobody)
    }

    func plant(_ keys: [JSON], owner: UInt32) throws {
        try doorway.keep(keys)
        give(to: owner)
    }

    private func give(to owner: UInt32) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: doorway.cacheFolder)) ?? [] {
            chown(doorway.cacheFolder + "/" + name, owner, owner)
        }
    }

    func ask(_ login: MintedLogin, by way: Way, environment: [String: String] = Doorway.environment) throws -> Run {
        try doorway.ask(login, environment: environment, surroundings: surroundings(way))
    }

    /// The system calls of an opk-verify that admits.
    func traced(_ login: MintedLogin, by way: Way) throws -> [Substring] {
        let folder = doorway.folder + "/trace"
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        chmod(folder, 0o777)
        try? FileManager.default.removeItem(atPath: folder + "/calls")
        let words = try doorway.words(login).map { String(decoding: $0, as: UTF8.self) }
        let run = try shell(
            by: way,
            [
                "/usr/bin/strace", "-v", "-e", "trace=openat,prctl,landlock_add_rule,landlock_restrict_self", "-o", folder + "/calls",
                Program.verify,
            ] + words)
        guard run.status == 0, run.output.hasPrefix("cert-authority,") else { throw CocoaError(.featureUnsupported) }
        return try String(contentsOfFile: folder + "/calls", encoding: .utf8).split(separator: "\n")
    }

    func shell(by way: Way, _ words: [String]) throws -> Run {
        let script = Array("\(surroundings(way))\nexec \"$@\"".utf8)
        return try Program.run(
            "/bin/sh", [Array("-c".utf8), script, Array("sh".utf8)] + words.map { Array($0.utf8) }, environment: Doorway.environment)
    }

    /// What a shell does, as root in a mount namespace of its own, before it becomes daemon and opk-verify.
    private func surroundings(_ way: Way) -> String {
        let before: String
        switch way {
        case .nothing: before = ":"
        case .sudo: before = "mount --bind \(doorway.folder)/sudoers /etc/sudoers.d"
        case .socket:
            before = listening("serve", [fetchProgram] + fetchWords + ["serve"])
        case .brokenSocket(let behaviour): before = listening(behaviour, [])
        case .foreignSocket: before = listening("nonsense", []) + "; chown daemon /run/opk"
        }
        let asDaemon = "exec setpriv --reuid \(Separation.verifier) --regid \(Separation.verifier) --clear-groups \"$@\""
        return "exec unshare --mount sh -c '\(before); \(asDaemon)' sh \"$@\""
    }

    /// /run is this namespace's own, so that a socket there is nobody else's. The listener ends by itself.
    private func listening(_ behaviour: String, _ words: [String]) -> String {
        let call = (["python3", doorway.folder + "/inetd.py", behaviour] + words).joined(separator: " ")
        return "mount -t tmpfs -o mode=755 tmpfs /run && mkdir /run/opk && \(call) </dev/null >/dev/null 2>&1"
    }

    /// A stand-in for the socket unit: each connection becomes the standard streams of a program of the fetcher's user. Returns once it
    /// listens; goes away after 20 seconds.
    private static let inetd = """
        import os, signal, socket, sys, time
        behaviour, words = sys.argv[1], sys.argv[2:]
        listener = socket.socket(socket.AF_UNIX)
        listener.bind("/run/opk/fetch.socket")
        os.chmod("/run/opk/fetch.socket", 0o666)
        if behaviour == "dead": sys.exit(0)
        listener.listen(64)
        if os.fork(): os._exit(0)
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        signal.alarm(20)
        kept = []
        while True:
            connection, _ = listener.accept()
            if behaviour == "silent": kept.append(connection)
            elif behaviour == "nonsense":
                connection.recv(65536)
                connection.sendall(b"nonsense")
            elif behaviour == "serve" and os.fork() == 0:
                for number in (0, 1): os.dup2(connection.fileno(), number)
                os.setgroups([]); os.setgid(65534); os.setuid(65534)
                os.execv(words[0], words)
            if behaviour != "silent": connection.close()

        """
}
