import Foundation
import KeyCache
import MintingKit
import TestSupport
import Testing
import Vocabulary

/// The key cache cannot be written, or is not there.
@Suite("opk-verify: a cache folder that is of no use", .serialized)
struct CacheFolderTests {
    let doorway: Doorway
    let login: MintedLogin

    init() throws {
        doorway = try Doorway()
        login = try doorway.login()
        doorway.serve(login.keys)
    }

    @Test("Without the folder the keys are fetched for each login, which comes in, and the line says what is missing")
    func missing() throws {
        #expect(rmdir(doorway.cacheFolder) == 0)
        for _ in 0..<2 {
            let run = try doorway.ask(login)
            #expect(run.admitted && run.terminal.contains("the keys are not kept: \(doorway.cacheFolder)/"), "\(run)")
            #expect(run.terminal.contains("No such file or directory"), "\(run)")
        }
        #expect(doorway.asked.count == 4)
        #expect(mkdir(doorway.cacheFolder, 0o755) == 0)
        let run = try doorway.ask(login)
        #expect(run.admitted && !run.terminal.contains("keys:") && doorway.cache.read(issuer: doorway.issuer) != nil, "\(run)")
    }

    /// In a mount namespace of its own the cache's folder is another file system. What is in it some time afterwards is copied to `left`.
    private func ask(mounting mount: String, then: String = "", pause: Double = 0) throws -> (Run, left: String) {
        let left = doorway.folder + "/left"
        let script = "\(mount) || exit 99; \(then) \"$@\"; status=$?; sleep \(pause); cp -R \(doorway.cacheFolder) \(left); exit $status"
        return (try doorway.ask(login, surroundings: "exec unshare --mount sh -c '\(script)' sh \"$@\""), left)
    }

    @Test(
        "With the disk full keys are fetched, used and not kept, and the record that is there stays as it is",
        .enabled(if: Root.canMount, "only root, where mounting is allowed, can arrange it"),
        arguments: ["size=4k", "nr_inodes=1"])
    func diskFull(_ options: String) throws {
        let cache = doorway.cacheFolder
        let mount = "mount -t tmpfs -o mode=755,\(options) none \(cache)"
        let fill = options == "nr_inodes=1" ? "" : "head -c 1048576 /dev/zero >\(cache)/filler 2>/dev/null;"
        let (run, left) = try ask(mounting: mount, then: fill)
        #expect(run.admitted && run.terminal.contains("the keys are not kept: ") && run.terminal.contains("No space left"), "\(run)")
        #expect(doorway.asked.count == 2)
        #expect(KeyCache(directory: left).read(issuer: doorway.issuer) == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: left).allSatisfy { !$0.hasSuffix(".new") && !$0.hasSuffix(".json") })
    }

    @Test(
        "Stale keys on a full disk admit, and are not harmed by the renewal that fails; too old ones are fetched for this login",
        .enabled(if: Root.canMount, "only root, where mounting is allowed, can arrange it"), arguments: [CacheState.stale, .tooOld])
    func oldKeysOnFullDisk(_ state: CacheState) throws {
        _ = try state.arrange(doorway)
        let record = try #require(doorway.record)
        let cache = doorway.cacheFolder
        try FileManager.default.copyItem(atPath: cache, toPath: doorway.folder + "/old")
        let mount = "mount -t tmpfs -o mode=755,size=8k none \(cache) && cp \(doorway.folder)/old/* \(cache)"
        // The renewal goes on behind the answer.
        let (run, left) = try ask(mounting: mount, then: "head -c 1048576 /dev/zero >\(cache)/filler 2>/dev/null;", pause: 1)
        #expect(run.admitted && run.terminal.contains("No space left") == (state == .tooOld), "\(run)")
        #expect(doorway.eventually { doorway.asked.count == 2 })
        #expect(KeyCache(directory: left).read(issuer: doorway.issuer)?.record == record)
    }

    @Test(
        "A read-only folder is the same: what it has is used, and what it has not is fetched and not kept",
        .enabled(if: Root.canMount, "only root, where mounting is allowed, can arrange it"), arguments: CacheState.allCases)
    func readOnly(_ state: CacheState) throws {
        let login = try state.arrange(doorway)
        doorway.serve(login.keys)
        let record = doorway.record
        let mount = "mount --bind \(doorway.cacheFolder) \(doorway.cacheFolder) && mount -o remount,bind,ro \(doorway.cacheFolder)"
        let run = try doorway.ask(login, surroundings: "exec unshare --mount sh -c '\(mount) || exit 99; exec \"$@\"' sh \"$@\"")
        #expect(run.admitted && run.terminal.contains("Read-only file system") == !state.decides, "\(run)")
        #expect(doorway.eventually { doorway.asked.count == (state == .fresh ? 0 : 2) })
        #expect(doorway.record == record)
        // And where it can be written again, it is.
        let next = try doorway.ask(login)
        #expect(next.admitted && !next.terminal.contains("keys:"), "\(next)")
        #expect(doorway.eventually { doorway.cache.read(issuer: doorway.issuer)?.isFresh(at: .now()) == true })
    }

    @Test(
        "A user who may not write the folder is admitted by what is there, or by what is fetched",
        .enabled(if: Root.isHere, "only root can become another user"), arguments: CacheState.allCases)
    func notWritable(_ state: CacheState) throws {
        let login = try state.arrange(doorway)
        doorway.serve(login.keys)
        for name in ["providers", "auth_id"] { #expect(chown(doorway.config + "/" + name, Root.nobody, Root.nobody) == 0) }
        // Copies that nobody may reach.
        let program = try doorway.program(withFetcher: "")
        let fetcher = doorway.folder + "/libexec/opk-fetch"
        try FileManager.default.removeItem(atPath: fetcher)
        try FileManager.default.copyItem(atPath: BuiltPrograms.path("opk-fetch"), toPath: fetcher)
        let run = try doorway.ask(login, program: program, surroundings: Root.asNobody)
        #expect(run.admitted && run.terminal.contains("Permission denied") == !state.decides, "\(run)")
        #expect(doorway.eventually { doorway.asked.count == (state == .fresh ? 0 : 2) })
    }

    @Test(
        "A folder that root gave to another user is kept by opk-fetch as that user, where root asks",
        .enabled(if: Root.isHere, "only root can"))
    func anothersFolder() throws {
        #expect(chown(doorway.cacheFolder, Root.nobody, Root.nobody) == 0)
        #expect(try doorway.ask(login).admitted && doorway.ask(login).admitted && doorway.asked.count == 2)
        let attributes = try FileManager.default.contentsOfDirectory(atPath: doorway.cacheFolder)
            .map { try FileManager.default.attributesOfItem(atPath: doorway.cacheFolder + "/" + $0)[.ownerAccountID] as? UInt32 }
        #expect(attributes.count == 3 && attributes.allSatisfy { $0 == Root.nobody })
    }
}
