import Foundation
import FuzzTargets
import SSHKeys
import TestSupport
import Testing
import Vocabulary

@Suite("What the fuzzer found interesting")
struct FuzzReplayTests {
    static let names = FuzzTarget.all.map(\.name)

    private func target(_ name: String) throws -> FuzzTarget { try #require(FuzzTarget.all.first { $0.name == name }) }

    @Test("Every input of the corpus goes through its target without a finding", arguments: names)
    func corpus(_ name: String) throws {
        let target = try target(name)
        let folder = SharedData.packageRoot.appendingPathComponent("Tests/Fuzz/corpus/\(name)")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(files.count >= 5)
        for file in files { target.run(Array(try Data(contentsOf: file))) }
    }

    @Test("Every seed goes through its target, cut anywhere and with any byte changed", arguments: names)
    func seeds(_ name: String) throws {
        let target = try target(name)
        let seeds = try target.seeds()
        #expect(!seeds.isEmpty)
        for seed in seeds {
            target.run(seed)
            let step = max(1, seed.count / 40)
            for index in stride(from: 0, to: seed.count, by: step) {
                target.run(Array(seed.prefix(index)))
                var changed = seed
                changed[index] &+= 1
                target.run(changed)
            }
        }
    }

    @Test("Other people's certificates and JSON go through too", .enabled(if: SharedData.isThere, SharedData.absence))
    func shared() throws {
        for file in try SharedData.files("JSONTestSuite/test_parsing", ending: ".json") {
            try target("json").run(Array(try Data(contentsOf: file)))
        }
        for file in try SharedData.files("ssh-certs/pyca", ending: ".pub") {
            if let line = SSHKeyLine(parsing: Array(try Data(contentsOf: file))) { try target("certificate").run(line.blob) }
        }
    }
}

@Suite("What the target verify begins with")
struct VerifySeedTests {
    @Test("Of its own seeds seven are admitted, with the wildcard, the account, or no principals at all")
    func ownSeeds() throws {
        let seeds = try #require(FuzzTarget.all.first { $0.name == "verify" }).seeds()
        let options = seeds.compactMap { linesPrinted(for: $0).first?.split(separator: " ").first.map(String.init) }
        let names = ["opkssh-wildcard", "alice", "dev"].map { "cert-authority,principals=\"\($0)\"" }
        #expect(Set(options) == Set(names + ["cert-authority"]))
        #expect(options.count == 7)
    }
}
