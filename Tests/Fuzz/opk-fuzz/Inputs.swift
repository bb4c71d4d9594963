import Foundation
import FuzzTargets

/// The file itself, or every file of a folder in the order of their names.
func files(at path: String) -> [String] {
    let names = try? FileManager.default.contentsOfDirectory(atPath: path).sorted()
    return names.map { $0.map { path + "/" + $0 } } ?? [path]
}

func read(_ path: String) -> [UInt8]? {
    FileManager.default.contents(atPath: path).map(Array.init)
}

/// `folder/TARGET/own-N` for every target, and `folder/TARGET/shared-N` where the published data is there.
func writeSeeds(to folder: String, shared: String?) throws {
    func write(_ bytes: [UInt8], _ target: String, _ name: String) throws {
        let place = folder + "/" + target
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: place + "/" + name))
    }
    for target in FuzzTarget.all {
        for (index, seed) in try target.seeds().enumerated() { try write(seed, target.name, "own-\(index)") }
    }
    guard let shared else { return }
    for (index, seed) in sharedSeeds(in: shared).enumerated() { try write(seed.bytes, seed.target, "shared-\(index)") }
}
