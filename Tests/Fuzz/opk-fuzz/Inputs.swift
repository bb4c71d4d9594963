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

/// `folder/TARGET/own-N` for every target.
func writeSeeds(to folder: String) throws {
    for target in FuzzTarget.all {
        let place = folder + "/" + target.name
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        for (index, seed) in try target.seeds().enumerated() {
            try Data(seed).write(to: URL(fileURLWithPath: place + "/own-\(index)"))
        }
    }
}
