import Foundation
import ServerSetup

/// Folders as a server has them, gone with the value.
final class Scratch {
    let folder: String
    var places: ServerPlaces

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("opk-setup-\(UUID().uuidString)").path
        places = ServerPlaces(prefix: folder + "/usr", sshd: "/usr/sbin/sshd")
        places.configFolder = folder + "/opk"
        places.sshdConfig = folder + "/sshd_config"
        places.dropInFolder = folder + "/sshd_config.d"
        places.stateFolder = folder + "/state"
        for path in [folder, places.configFolder, places.dropInFolder, places.stateFolder] {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func write(_ text: String, to path: String) throws { try text.write(toFile: path, atomically: true, encoding: .utf8) }
    func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
}
