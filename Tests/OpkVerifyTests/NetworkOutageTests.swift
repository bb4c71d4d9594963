import Foundation
import KeyCache
import MintingKit
import Testing
import Vocabulary

/// Surroundings in which this process alone sees another machine.
private enum Surroundings {
    /// No network at all, not even this machine's own addresses.
    static let noNetwork = "exec unshare --net \"$@\""

    /// Names are asked for there, and nowhere else.
    static func nameServer(_ address: String, in folder: String) throws -> String {
        try "nameserver \(address)\n".write(toFile: folder + "/resolv.conf", atomically: false, encoding: .utf8)
        return Root.seeing(folder + "/resolv.conf", at: "/etc/resolv.conf")
    }

    /// This script in the place of sudo.
    static func sudo(_ script: String, in folder: String) throws -> String {
        try FileManager.default.createDirectory(atPath: folder + "/sudo", withIntermediateDirectories: false)
        let path = folder + "/sudo/sudo"
        try "#!/bin/sh\n\(script)\n".write(toFile: path, atomically: false, encoding: .utf8)
        guard chmod(path, 0o755) == 0 else { throw CocoaError(.fileWriteUnknown) }
        let daemon = "set -- setpriv --reuid 1 --regid 1 --clear-groups \"$@\""
        return "exec unshare --mount sh -c 'mount -t overlay overlay -o lowerdir=\(folder)/sudo:/usr/bin /usr/bin || exit 99; \(daemon);"
            + " exec \"$@\"' sh \"$@\""
    }

    static let hasOverlay: Bool =
        Root.canMount
        && (try? Program.shell("exec unshare --mount mount -t overlay overlay -o lowerdir=/usr/bin:/usr/sbin /usr/bin"))?.status == 0
}

/// A name server that takes every question and answers none.
private final class SilentNameServer: Sendable {
    static let address = "127.9.9.9"
    static let canBe: Bool = Root.canMount && (try? SilentNameServer()) != nil
    private let socket: Int32

    init() throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr(SilentNameServer.address)
        address.sin_port = UInt16(53).bigEndian
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard bound == 0 else { throw POSIXError(.EADDRINUSE) }
    }

    deinit { close(socket) }
}

@Suite("opk-verify: no network", .serialized, .enabled(if: Root.canMount, "only root, where mounting is allowed, can arrange it"))
struct NetworkOutageTests {
    private func check(_ surroundings: String, _ doorway: Doorway, _ words: [String], _ state: CacheState) throws {
        let login = try state.arrange(doorway)
        let record = doorway.record
        let (run, seconds) = try doorway.timed(login, surroundings: surroundings)
        #expect(seconds < 10, "\(state): \(run)")
        if state.decides {
            #expect(run.admitted, "\(state): \(run)")
        } else {
            #expect(run.refused(1, "reason=keys-unavailable ", "opk keys refresh") && words.allSatisfy(run.terminal.contains), "\(run)")
        }
        if state == .stale { #expect(doorway.eventually { doorway.lastAttempt?.succeeded == false }) }
        #expect(doorway.record == record)
    }

    @Test("With the cable pulled, fresh and stale keys admit, and others are refused at once with a line that says so")
    func noNetwork() async throws {
        try await atOnce(CacheState.allCases) { state in
            for issuer in ["https://idp.example.com", "https://192.0.2.1"] as [Text] {
                let doorway = try Doorway(issuer: issuer)
                try doorway.writeRow()
                let words = issuer == "https://192.0.2.1" ? ["no connection", "firewall"] : ["cannot be resolved", "getent hosts"]
                try check(Surroundings.noNetwork, doorway, words, state)
            }
        }
    }

    @Test(
        "A name server that refuses leads to the same, and one that is silent to no more than the bound",
        .enabled(if: SilentNameServer.canBe))
    func nameService() async throws {
        let silent = try SilentNameServer()
        try await atOnce(CacheState.allCases) { state in
            for (address, words) in [
                ("127.0.0.1", ["idp.example.com", "cannot be resolved", "getent hosts"]),
                (SilentNameServer.address, ["idp.example.com", "in time", "name resolution"]),
            ] {
                let doorway = try Doorway(issuer: "https://idp.example.com")
                try doorway.writeRow()
                try check(try Surroundings.nameServer(address, in: doorway.folder), doorway, words, state)
            }
        }
        withExtendedLifetime(silent) {}
    }

    @Test(
        "A sudo that stalls, as it does where names cannot be resolved, or that is not allowed, holds nobody who has keys, and others no longer than the bound",
        .enabled(if: Surroundings.hasOverlay, "no overlay file system"))
    func stalledSudo() async throws {
        try await atOnce(["exec sleep 30", "echo 'sudo: a password is required' >&2; exit 1"]) { script in
            let doorway = try Doorway()
            try doorway.writeRow()
            for name in ["providers", "auth_id"] { #expect(chown(doorway.config + "/" + name, 1, 1) == 0) }
            let program = try doorway.program(withFetcher: "exit 1")
            let surroundings = try Surroundings.sudo(script, in: doorway.folder)
            for state in [CacheState.fresh, .stale, .none] {
                try? FileManager.default.removeItem(atPath: doorway.cacheFolder)
                try FileManager.default.createDirectory(atPath: doorway.cacheFolder, withIntermediateDirectories: false)
                let login = try state.arrange(doorway)
                #expect(chown(doorway.cacheFolder, Root.nobody, Root.nobody) == 0)
                let start = ContinuousClock.now
                let run = try doorway.ask(login, program: program, surroundings: surroundings)
                #expect(ContinuousClock.now - start < .seconds(10), "\(state): \(run)")
                let words = script.contains("password") ? ["a password is required"] : ["did not answer within 2.5 s", "sudo"]
                #expect(
                    state.decides ? run.admitted : run.refused(1, "reason=keys-unavailable ") && words.allSatisfy(run.terminal.contains),
                    "\(state): \(run)")
            }
        }
    }
}
