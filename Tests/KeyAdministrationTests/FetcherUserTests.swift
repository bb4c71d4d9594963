import Foundation
import Testing
import Vocabulary

@testable import KeyAdministration

@Suite("Whether the fetcher has a user of its own")
struct FetcherUserTests {
    @Test("is told by the cache's owner, whom root vouches for, beside the verifier's user", .enabled(if: Machine.isRoot, "needs root"))
    func owners() throws {
        let machine = try Machine()
        let folder = machine.cacheFolder
        func user(_ verifier: String) -> FetcherUser { FetcherUser(cacheFolder: folder, verifier: verifier) }
        #expect(user("nobody") == .verifier("nobody") && user("daemon") == .own("nobody"))
        #expect(user("no-such-user") == .unknownVerifier(owner: "nobody"))
        chown(folder, 54_321, 54_321)
        #expect(user("daemon") == .own("user id 54321"))
        chown(folder, 0, 0)
        #expect(user("daemon") == .root)
        chmod(machine.folder, 0o777)
        #expect(user("daemon") == .unvouched)
        chmod(machine.folder, 0o755)
        symlink(folder, machine.folder + "/link")
        #expect(FetcherUser(cacheFolder: machine.folder + "/link", verifier: "daemon") == .unvouched)
        #expect(FetcherUser(cacheFolder: machine.folder + "/none", verifier: "daemon") == .noFolder)
    }

    @Test("and where it has none, opk keys says what that means and how to get it")
    func sentences() {
        let plain = FetcherUser.verifier("opksshuser")
        #expect(
            plain.isSeparate == false && plain.sentence(cacheFolder: "/c").contains("could plant a provider's key. `make install` gives"))
        #expect(FetcherUser.own("opkfetch").isSeparate == true && FetcherUser.root.isSeparate == nil)
        #expect(FetcherUser.unvouched.isSeparate == false && FetcherUser.unknownVerifier(owner: "x").isSeparate == nil)
        #expect(FetcherUser.own("opkfetch").sentence(cacheFolder: "/c").contains("neither opk-verify nor a plugin can write them"))
        #expect(FetcherUser.noFolder.sentence(cacheFolder: "/c\u{1B}").contains("/c\\u{1b}"))
    }

    @Test("the words under the table are these", .enabled(if: Machine.isRoot, "needs root"))
    func shown() throws {
        let machine = try Machine()
        let store = try KeyStore(configFolder: machine.config, cacheFolder: machine.cacheFolder)
        let inventory = try KeyInventory(store, verifier: "nobody", at: .now())
        #expect(inventory.lines.contains(FetcherUser.verifier("nobody").sentence(cacheFolder: machine.cacheFolder)))
        #expect(inventory.json["fetcher"]?["separate"]?.bool == false && inventory.json["fetcher"]?["user"]?.string == "nobody")
    }
}
