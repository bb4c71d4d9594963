import Foundation
import SafeFiles

/// A folder of a test's own, mode 0755, removed when the test lets it go.
final class Scratch {
    let folder: String

    init() {
        folder = NSTemporaryDirectory() + "/opk-test-" + UUID().uuidString
        mkdir(folder, 0o755)
        chmod(folder, 0o755)
    }

    deinit {
        chmod(folder, 0o755)
        try? FileManager.default.removeItem(atPath: folder)
    }

    func path(_ name: String) -> String { folder + "/" + name }

    /// Writes a file the plain way, with the mode, and gives its path.
    @discardableResult
    func put(_ name: String, _ text: String, mode: mode_t = 0o640) -> String {
        let path = path(name)
        _ = FileManager.default.createFile(atPath: path, contents: Data(text.utf8))
        chmod(path, mode)
        return path
    }

    func contents(_ name: String) -> String? {
        FileManager.default.contents(atPath: path(name)).map { String(decoding: $0, as: UTF8.self) }
    }

    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted() }
}

let me = FileTrust.rootOrUser(getuid())
let isRoot = getuid() == 0

func fault(_ body: () throws -> Void) -> UnsafeFile.Fault? {
    do {
        try body()
        return nil
    } catch {
        return (error as? UnsafeFile)?.fault
    }
}
